"""The server: it finishes requests in flight, and stops on a signal."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from httpkit.middleware.http_metrics import new_registry
from httpkit.response.json_responses import json_response
from httpkit.routes import Route
from httpkit.server.app_server import build_app, run, serving
from httpkit.server.health import Health
from httpkit.settings import HttpSettings
from tests.unit.httpkit.conftest import HTTP

SERVICE = """
from httpkit.server.health import Health
from httpkit.middleware.http_metrics import new_registry
from httpkit.server.app_server import build_app, run
from httpkit.settings import HttpSettings
http = HttpSettings(host="127.0.0.1", port=0)
run(lambda: build_app(http, [], health=Health({}), registry=new_registry("test")), http)
"""


class Visitor:
    """A route that holds its request until it is released."""

    def __init__(self, order: list[str] | None = None) -> None:
        self.order = [] if order is None else order
        self.entered = asyncio.Event()
        self.leave = asyncio.Event()

    async def handle(self, _request: web.Request) -> web.Response:
        self.entered.set()
        await self.leave.wait()
        self.order.append("answered")
        return json_response({})


def app_with(visitor: Visitor) -> web.Application:
    route = Route("GET", "/visit", visitor.handle, None)
    return build_app(HTTP, [route], health=Health({}), registry=new_registry("test"))


async def test_a_request_in_flight_is_finished_before_the_app_is_cleaned_up() -> None:
    order: list[str] = []
    visitor = Visitor(order)
    app = app_with(visitor)

    async def resource(_app: web.Application) -> AsyncIterator[None]:
        yield
        order.append("cleaned up")

    app.cleanup_ctx.append(resource)
    async with aiohttp.ClientSession() as session:
        async with serving(app, HTTP) as runner:
            host, port = runner.addresses[0]
            visit = asyncio.create_task(session.get(f"http://{host}:{port}/visit"))
            await visitor.entered.wait()
            asyncio.get_running_loop().call_later(0.05, visitor.leave.set)
        assert (await visit).status == 200
    assert order == ["answered", "cleaned up"]


async def test_a_request_that_does_not_end_is_not_waited_for() -> None:
    visitor = Visitor()
    async with asyncio.timeout(5), aiohttp.ClientSession() as session:
        async with serving(app_with(visitor), HTTP) as runner:
            host, port = runner.addresses[0]
            visit = asyncio.create_task(session.get(f"http://{host}:{port}/visit"))
            await visitor.entered.wait()
        with pytest.raises(aiohttp.ClientError):
            await visit


async def test_an_app_that_cannot_start_is_cleaned_up() -> None:
    closed = list[str]()
    app = app_with(Visitor())

    async def opened(_app: web.Application) -> AsyncIterator[None]:
        yield
        closed.append("opened")

    async def failing(_app: web.Application) -> None:
        raise ConnectionError

    app.cleanup_ctx.append(opened)
    app.on_startup.append(failing)
    with pytest.raises(ConnectionError):
        async with serving(app, HTTP):
            pytest.fail("it must not serve")
    assert closed == ["opened"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_well(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVICE], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert "listening" in service.stdout.readline()
        service.send_signal(number)
        assert service.wait(timeout=10) == 0


def test_an_address_in_use_is_one_line_and_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        http = HttpSettings(host="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(SystemExit) as ended:
            run(lambda: build_app(http, [], health=Health({}), registry=new_registry("test")), http)
    assert ended.value.code == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "cannot_run" in line
