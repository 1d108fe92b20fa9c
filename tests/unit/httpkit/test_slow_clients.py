"""Slow clients are disconnected in time, while others are served."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from httpkit.middleware.http_metrics import new_registry
from httpkit.request.bodies import PARTIAL_BODIES, read_body
from httpkit.response.json_responses import json_response
from httpkit.routes import Route
from httpkit.server.app_server import build_app, serving
from httpkit.server.connections import Connection
from httpkit.server.health import Health
from httpkit.settings import HttpSettings
from tests.faults.matrix import Row
from tests.support.raw_http import RawConnection
from tests.support.waiting import wait_until

pytestmark = pytest.mark.fault(Row.SLOW_CLIENTS)

HTTP = HttpSettings(
    port=0,
    head_timeout_s=0.3,
    body_timeout_s=0.3,
    write_timeout_s=0.3,
    shutdown_timeout_s=0.3,
    half_read_limit_bytes=100_000,
)
HEAD = b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n"
LARGE = 64 << 20
PATIENCE_S = 10.0
UNSENT = web.AppKey("unsent", list[asyncio.Transport])


async def length(request: web.Request) -> web.Response:
    return json_response({"length": len(await read_body(request))})


async def large(_request: web.Request) -> web.Response:
    return web.Response(body=b"x" * LARGE)


async def little(request: web.Request) -> web.StreamResponse:
    """Respond with a little more than the kernel buffers, and close: too little for backpressure."""
    transport = request.transport
    assert transport is not None
    response = web.StreamResponse()
    left = int(request.query.get("left", 0))
    if not left:
        response.force_close()
    await response.prepare(request)
    while transport.get_write_buffer_size() <= left:
        await response.write(b"x" * 4096)
        await asyncio.sleep(0)
    request.app[UNSENT].append(transport)
    return response


@asynccontextmanager
async def service() -> AsyncIterator[tuple[web.Application, str, int]]:
    routes = [Route("POST", "/length", length, None), Route("GET", "/large", large, None)]
    routes.append(Route("GET", "/little", little, None))
    app = build_app(HTTP, routes, health=Health({}), registry=new_registry("test"))
    app[UNSENT] = []
    async with serving(app, HTTP) as runner:
        host, port = runner.addresses[0]
        yield app, host, port


async def is_served(host: str, port: int) -> bool:
    connection = RawConnection(host, port)
    response = await connection.exchange(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    await connection.close()
    return response is not None and response.status == 200


@pytest.mark.parametrize("sent", [b"", b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_missing_head_closes_the_connection(sent: bytes) -> None:
    async with service() as (_, host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(sent)
        assert await is_served(host, port)
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()


async def test_head_sent_byte_by_byte_closes_the_connection() -> None:
    async with service() as (_, host, port):
        reader, writer = await asyncio.open_connection(host, port)

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                for byte in b"GET /health/live HTTP/1.1\r\nX-Slow: " + b"x" * 10_000:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0.02)  # the fault itself

        dripping = asyncio.create_task(drip())
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        dripping.cancel()
        writer.close()


async def test_connection_stays_open_after_a_response() -> None:
    async with service() as (_, host, port):
        connection = RawConnection(host, port)
        for _ in range(2):
            response = await connection.exchange(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert response is not None
            await asyncio.sleep(2 * HTTP.head_timeout_s)  # not for a condition: nothing may happen
        assert connection.is_open
        await connection.close()


async def test_unread_response_closes_the_connection() -> None:
    async with service() as (_, host, port):
        reader, writer = await asyncio.open_connection(host, port, limit=1024)
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readexactly(12)
        assert await is_served(host, port)
        await asyncio.sleep(4 * HTTP.write_timeout_s)  # the fault itself: nothing is read
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(LARGE), PATIENCE_S)
        writer.close()


async def test_unread_rest_of_a_closing_connection_is_dropped() -> None:
    async with service() as (app, host, port):
        _, writer = await asyncio.open_connection(host, port, limit=1024)
        writer.write(b"GET /little HTTP/1.1\r\nHost: x\r\n\r\n")
        await wait_until(lambda: bool(app[UNSENT]), what="an answer that is not read")
        (transport,) = app[UNSENT]
        await wait_until(transport.is_closing, what="the end of the answer")
        await wait_until(lambda: transport.get_write_buffer_size() == 0, what="the end of the connection")
        writer.close()


async def test_unsent_bytes_of_a_later_response_are_no_delay() -> None:
    async with service() as (app, host, port):
        reader, writer = await asyncio.open_connection(host, port)

        async def ask(left: int) -> None:
            """Request a response of which `unread` bytes are not read when it is complete."""
            seen = len(app[UNSENT])
            writer.write(f"GET /little?left={left} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await wait_until(lambda: len(app[UNSENT]) > seen, what="an answer that is not read")

        reader._transport.pause_reading()  # type: ignore[attr-defined]  # noqa: SLF001  # a client that is busy
        await ask(1)
        connection = app[UNSENT][0].get_protocol()
        assert isinstance(connection, Connection)
        await wait_until(lambda: connection._current_request is None)  # noqa: SLF001  # the end of the answer
        connection._close_if_not_reading()  # noqa: SLF001  # a look, whenever it comes
        reader._transport.resume_reading()  # type: ignore[attr-defined]  # noqa: SLF001  # and reads all
        while app[UNSENT][0].get_write_buffer_size():
            await reader.read(1 << 20)
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # noqa: SLF001  # and is busy again
        await ask(30_000)
        await wait_until(lambda: connection._current_request is None)  # noqa: SLF001  # as above
        connection._close_if_not_reading()  # noqa: SLF001  # as above
        assert not app[UNSENT][0].is_closing()
        writer.close()


async def test_large_response_arrives_whole() -> None:
    async with service() as (_, host, port):
        connection = RawConnection(host, port)
        response = await connection.exchange(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert response is not None
        assert len(response.body) == LARGE
        await connection.close()


async def test_partial_bodies_have_a_common_bound_and_are_released_when_they_break_off() -> None:
    async with service() as (app, host, port):
        partial_bodies = app[PARTIAL_BODIES]
        _, slow = await asyncio.open_connection(host, port)
        slow.write(HEAD + b"x" * 80_000)
        await wait_until(lambda: partial_bodies.held == 80_000, what="half a body")
        connection = RawConnection(host, port)
        refused = await connection.exchange(HEAD + b"x" * 80_000)
        assert refused is not None
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert await is_served(host, port)
        slow.transport.abort()
        await wait_until(lambda: partial_bodies.held == 0, what="the end of the slow one")
        response = await connection.exchange(HEAD + b"x" * 90_000)
        assert response is not None
        assert (response.status, partial_bodies.held) == (200, 0)
        await connection.close()
