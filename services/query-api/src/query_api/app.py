"""The composition root of query-api."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final

from aiohttp import hdrs, web
from opentelemetry.trace import Tracer

import httpkit.server.app_server
from httpkit.listing.list_turns import LIST_SLOTS, ListSlots
from httpkit.middleware.auth import TokenVerifier
from httpkit.middleware.http_metrics import new_registry
from httpkit.middleware.rate_limits import LIMITER
from httpkit.middleware.request_spans import trace_requests
from httpkit.middleware.revoked_tokens import Revocations
from httpkit.server.health import Health, State
from httpkit.streaming.open_streams import OpenStreams
from httpkit.streaming.shipment_streams import SHIPMENT_STREAMS, ShipmentStreams
from query_api.adapters import (
    ADAPTERS,
    CACHE,
    DATABASE,
    EVENT_QUEUE,
    READABLE,
    Adapters,
    OpenAdapters,
    open_adapters,
)
from query_api.routes import ELSEWHERE, ROUTES
from query_api.settings import Settings
from query_api.use_cases.access import ACCESS, open_access
from query_api.use_cases.links import LINKS, Links
from servicekit.clock import SystemClock
from servicekit.settings import Environment
from storage.mongo.accounts.users import seed_development_users

PUBLIC_PREFIX: Final = "/public/"
UNCACHED_PREFIXES: Final = ("/auth/", PUBLIC_PREFIX)


def build_app(
    settings: Settings, *, opening: OpenAdapters = open_adapters, tracer: Tracer | None = None
) -> web.Application:
    """Build the query API.

    Args:
        settings: the whole tree.
        opening: opens the adapters when the app starts, and closes them when it stops.
        tracer: creates spans of requests, if given.
    """
    revocations = Revocations()
    registry = new_registry("query-api")
    streams = OpenStreams(settings.streams, registry)

    async def adapters(started: web.Application) -> AsyncIterator[None]:
        async with (
            opening(settings, registry) as opened,
            open_access(settings, opened, revocations, SystemClock()) as access,
        ):
            started[ADAPTERS], started[ACCESS] = opened, access
            started[LINKS] = Links(opened.shipments, opened.public, opened.links, SystemClock())
            started[LIMITER], started[LIST_SLOTS] = opened.limiter, ListSlots()
            started[SHIPMENT_STREAMS] = ShipmentStreams(streams, opened.statuses, opened.changes)
            await _seed(settings, opened)
            yield

    app = httpkit.server.app_server.build_app(
        settings.http,
        [*ROUTES, *ELSEWHERE],
        health=_health(lambda: app[ADAPTERS]),
        registry=registry,
        verifier=TokenVerifier(settings.auth, revocations),
        limits=settings.limits,
    )
    trace_requests(app, tracer)
    app.on_response_prepare.append(_forbid_caching)
    app.on_shutdown.append(streams.close_all)
    app.cleanup_ctx.append(adapters)
    return app


async def _forbid_caching(request: web.Request, response: web.StreamResponse) -> None:
    """Forbid caching of what is about tokens, users or anybody's shipment, and indexing of the latter.

    A signal, so that errors have the headers too.
    """
    if request.path.startswith(UNCACHED_PREFIXES):
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
    if request.path.startswith(PUBLIC_PREFIX):
        response.headers["X-Robots-Tag"] = "noindex"


def _health(adapters: Callable[[], Adapters]) -> Health:
    """Return the health checks: of the whole system in `/health`, of this replica in `/health/ready`."""

    async def probe(name: str) -> State:
        return await adapters().probes[name]()

    async def event_queue() -> State:
        return await adapters().event_queue()

    return Health(
        {DATABASE: partial(probe, DATABASE), CACHE: partial(probe, CACHE), EVENT_QUEUE: event_queue},
        optional=[CACHE],
        readiness={DATABASE: partial(probe, READABLE), EVENT_QUEUE: partial(probe, EVENT_QUEUE)},
    )


async def _seed(settings: Settings, opened: Adapters) -> None:
    if settings.service.env is Environment.DEVELOPMENT:
        now = SystemClock().now()
        await seed_development_users(opened.users, opened.hasher, development=True, now=now)
