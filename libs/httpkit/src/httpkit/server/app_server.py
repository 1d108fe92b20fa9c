"""The app factory, and the server's start and stop."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry

from httpkit.expect_continue import close_if_body_unsent
from httpkit.middleware.auth import TokenVerifier, auth_middleware
from httpkit.middleware.cors import allow_origins
from httpkit.middleware.http_metrics import HttpMetrics, metrics_middleware, metrics_route
from httpkit.middleware.rate_limits import (
    add_limit_headers,
    body_meter,
    limit_middleware,
    rejected_token_middleware,
)
from httpkit.middleware.request_ids import request_id_middleware
from httpkit.request.bodies import bound_bodies, no_query_middleware
from httpkit.request.negotiation import negotiation_middleware
from httpkit.request.preconditions import precondition_middleware
from httpkit.response.errors import error_middleware
from httpkit.routes import DECLARED, Route, UndeclaredRoute, add_routes, require_declarations
from httpkit.server.connections import MAX_HEAD_BYTES, MAX_TARGET_BYTES, ConnectionTimeouts, Runner
from httpkit.server.health import Health
from httpkit.server.unmatched import reject_unmatched_early
from httpkit.settings import HttpSettings, LimitSettings
from servicekit.process import run_main, stop_signals

BACKLOG: Final = 1024
LINGERING_S: Final = 2.0
_WRITE_CHECKS: Final = (no_query_middleware, precondition_middleware)
"""Checks of every write before its handler: it has no query, and its preconditions can hold."""

_log = structlog.get_logger(__name__)


def build_app(
    http: HttpSettings,
    routes: Iterable[Route],
    *,
    health: Health,
    registry: CollectorRegistry,
    verifier: TokenVerifier | None = None,
    limits: LimitSettings | None = None,
) -> web.Application:
    """Build an app with everything every service has: errors, ids, metrics, authentication, health.

    Args:
        http: bounds of requests.
        routes: the service's own; health and metrics are added.
        health: what the service depends on.
        registry: where the service's metrics are; those of HTTP are added.
        verifier: checks tokens; None if all routes are public.
        limits: sizes of the budgets; the limiter itself is set at startup, as `LIMITER`.

    Raises:
        UndeclaredRoute: a permission is asked for without a verifier; at the start, if not all are declared.
    """
    middlewares = [
        request_id_middleware,
        metrics_middleware(HttpMetrics(registry)),
        error_middleware,
        negotiation_middleware,
        *_access_middlewares(verifier, limits or LimitSettings()),
        *_WRITE_CHECKS,
    ]
    app = web.Application(client_max_size=http.body_limit_bytes, middlewares=middlewares)
    bound_bodies(app, http, body_meter(limits or LimitSettings()))
    add_routes(app, [*routes, *health.routes(), metrics_route(registry)])
    reject_unmatched_early(app)
    if verifier is None and any(app[DECLARED].values()):
        raise UndeclaredRoute("a route asks for a permission, but nothing verifies tokens")
    app.on_startup.append(_require_declarations)
    cors = [allow_origins(http.cors_origins)] if http.cors_origins else []
    app.on_response_prepare.extend((add_limit_headers, close_if_body_unsent, *cors))
    return app


def _access_middlewares(verifier: TokenVerifier | None, limits: LimitSettings) -> Iterable[Middleware]:
    """Return the middlewares of authentication and rate limits, outermost first."""
    return (rejected_token_middleware(limits), auth_middleware(verifier), limit_middleware(limits))


@contextlib.asynccontextmanager
async def serving(app: web.Application, http: HttpSettings) -> AsyncIterator[web.AppRunner]:
    """Serve an app while the context lasts.

    On leaving, the listening socket is closed, requests in flight have `shutdown_timeout_s` to finish, and
    then the app's cleanup contexts are left, last one first.

    Raises:
        OSError: the address cannot be bound.
    """
    runner = Runner(
        app,
        timeouts=ConnectionTimeouts(head_s=http.head_timeout_s, write_s=http.write_timeout_s),
        access_log=None,
        auto_decompress=False,  # `read_body` does it, within bounds; what is not read stays as it came
        handler_cancellation=False,
        keepalive_timeout=http.keepalive_timeout_s,
        lingering_time=LINGERING_S,
        max_field_size=MAX_HEAD_BYTES,
        max_line_size=MAX_TARGET_BYTES,
        shutdown_timeout=http.shutdown_timeout_s,
    )
    try:
        await runner.setup()
        await web.TCPSite(runner, http.host, http.port, backlog=BACKLOG).start()
        _log.info("listening", addresses=runner.addresses)
        yield runner
    finally:
        await runner.cleanup()


def run(build: Callable[[], web.Application], http: HttpSettings) -> None:
    """Serve an app until SIGTERM or SIGINT.

    Args:
        build: builds the app inside the running loop.
        http: where to listen.

    Raises:
        SystemExit: with code 1, after one log line, when a dependency that is needed at startup is missing.
    """

    async def main() -> None:
        async with stop_signals() as stop, serving(build(), http):
            await stop.wait()
            _log.info("stopping")

    run_main(main)


async def _require_declarations(app: web.Application) -> None:
    require_declarations(app)
