"""An app of httpkit on loopback, with the routes of a test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from opentelemetry.trace import Tracer
from pydantic import SecretStr

from httpkit.middleware.auth import TokenIssuer, TokenVerifier
from httpkit.middleware.http_metrics import new_registry
from httpkit.middleware.request_spans import trace_requests
from httpkit.routes import Route
from httpkit.server.app_server import build_app
from httpkit.server.health import Health
from httpkit.settings import AuthSettings, HttpSettings
from servicekit.settings import Environment

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]

HTTP = HttpSettings(port=0, body_limit_bytes=4096, body_timeout_s=0.2, shutdown_timeout_s=0.3)
AUTH = AuthSettings(env=Environment.PRODUCTION, jwt_secret=SecretStr("4f1d0c7b9a8e6352" * 2), jwt_kid="now")


@pytest.fixture
def issuer() -> TokenIssuer:
    return TokenIssuer(AUTH)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start an app with these routes and return a client of it."""
    async with AsyncExitStack() as stack:

        async def start(*routes: Route, health: Health | None = None, tracer: Tracer | None = None) -> Client:
            app = build_app(
                HTTP,
                routes,
                health=health or Health({}),
                registry=new_registry("test"),
                verifier=TokenVerifier(AUTH),
            )
            trace_requests(app, tracer)
            server = TestServer(app)
            await server.start_server(auto_decompress=False)
            return await stack.enter_async_context(TestClient(server))

        yield start
