"""Routes: each declares its permission."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from domain.access.permissions import Permission
from httpkit.middleware.http_metrics import new_registry
from httpkit.routes import DECLARED, Route, UndeclaredRoute, add_routes, require_declarations
from httpkit.server.app_server import build_app
from httpkit.server.health import Health
from tests.unit.httpkit.conftest import HTTP, Serve


async def hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


def plain_app(*routes: Route) -> web.Application:
    return build_app(HTTP, routes, health=Health({}), registry=new_registry("test"))


def test_an_app_of_declared_routes_passes() -> None:
    app = plain_app(Route("GET", "/hello", hello, None))
    require_declarations(app)
    assert "/hello" in {resource.canonical for resource in app.router.resources()}


def test_an_undeclared_route_is_found() -> None:
    app = web.Application()
    add_routes(app, [Route("GET", "/declared", hello, None)])
    app.router.add_get("/forgotten", hello)
    with pytest.raises(UndeclaredRoute, match="/forgotten"):
        require_declarations(app)


async def test_an_app_with_an_undeclared_route_does_not_start() -> None:
    app = plain_app()
    app.router.add_get("/forgotten", hello)
    server = TestServer(app)
    with pytest.raises(UndeclaredRoute):
        await server.start_server()
    await server.close()


def test_a_guarded_route_needs_a_verifier() -> None:
    with pytest.raises(UndeclaredRoute, match="verifies"):
        plain_app(Route("GET", "/hello", hello, Permission.EVENT_READ))


async def test_get_route_serves_head(serve: Serve) -> None:
    client = await serve(Route("GET", "/hello", hello, None))
    response = await client.head("/hello")
    assert (response.status, response.headers["Content-Length"], await response.read()) == (200, "5", b"")


async def test_undeclared_route_is_not_served(serve: Serve) -> None:
    client = await serve(Route("GET", "/hello", hello, Permission.EVENT_READ))
    app = client.app
    assert app is not None
    app[DECLARED].clear()
    assert (await client.get("/hello")).status == 500
