"""The composition root of the portal."""

from collections.abc import AsyncIterator, Callable
from functools import partial

from aiohttp import web
from opentelemetry.trace import Tracer

import httpkit.server.app_server
from httpkit.middleware.http_metrics import new_registry
from httpkit.middleware.rate_limits import LIMITER
from httpkit.middleware.request_spans import trace_requests
from httpkit.response.errors import RENDER_ERROR
from httpkit.server.health import Health, State
from httpkit.streaming.open_streams import OpenStreams
from httpkit.streaming.shipment_streams import SHIPMENT_STREAMS, ShipmentStreams
from portal.adapters import ADAPTERS, CACHE, DATABASE, Adapters, OpenAdapters, open_adapters
from portal.console.api import API_URL, open_api
from portal.console.metrics.source import open_figures
from portal.routes import ROUTES
from portal.settings import SETTINGS, Settings
from portal.web.assets import ASSETS, load_assets
from portal.web.errors import render_error
from portal.web.rendering import RENDERER, Renderer
from portal.web.security import add_security_headers, origin_middleware


def build_app(
    settings: Settings, *, opening: OpenAdapters = open_adapters, tracer: Tracer | None = None
) -> web.Application:
    """Build the portal.

    Args:
        settings: the whole tree.
        opening: opens the adapters when the app starts, and closes them when it stops.
        tracer: creates spans of requests, if given.
    """
    registry = new_registry("portal")
    streams = OpenStreams(settings.streams, registry)

    async def adapters(started: web.Application) -> AsyncIterator[None]:
        async with opening(settings, registry) as opened:
            started[ADAPTERS], started[LIMITER] = opened, opened.limiter
            started[SHIPMENT_STREAMS] = ShipmentStreams(streams, opened.statuses, opened.changes)
            yield

    app = httpkit.server.app_server.build_app(
        settings.http,
        ROUTES,
        health=_health(lambda: app[ADAPTERS]),
        registry=registry,
        limits=settings.limits,
    )
    app[SETTINGS], app[ASSETS] = settings, load_assets(settings.portal)
    app[RENDERER] = Renderer(settings.portal, app[ASSETS])
    app[RENDER_ERROR] = render_error
    app.middlewares.append(origin_middleware)
    trace_requests(app, tracer)
    app.on_response_prepare.append(add_security_headers)
    app.on_shutdown.append(streams.close_all)
    app[API_URL] = settings.portal.api_url
    app.cleanup_ctx.extend((adapters, open_api, open_figures))
    return app


def _health(adapters: Callable[[], Adapters]) -> Health:
    async def probe(name: str) -> State:
        return await adapters().probes[name]()

    return Health({name: partial(probe, name) for name in (DATABASE, CACHE)}, optional=[CACHE])
