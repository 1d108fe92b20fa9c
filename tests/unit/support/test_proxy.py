"""The proxy does what it says: passes on, holds back, breaks off."""

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator

import pytest

from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


class Echo:
    """A server that answers with what it is sent, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(100):
                self.heard += data
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with Proxy(f"{host}:{port}").running() as proxy:
        yield proxy
    server.close()


@contextlib.asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def silent(reader: StreamReader) -> bool:
    """Say whether nothing arrives, not even the end."""
    try:
        async with asyncio.timeout(0.1):
            await reader.read(100)
    except TimeoutError:
        return True
    return False


async def test_bytes_are_forwarded_both_ways(proxy: Proxy) -> None:
    async with connected(proxy) as (reader, writer):
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"


async def test_a_stalled_proxy_holds_bytes_and_forwards_them_when_healed(proxy: Proxy, echo: Echo) -> None:
    async with connected(proxy) as (reader, writer):
        proxy.stall()
        writer.write(b"hello")
        assert await silent(reader)
        assert echo.heard == b""
        proxy.heal()
        assert await reader.readexactly(5) == b"hello"


async def test_requests_may_get_through_while_responses_do_not(proxy: Proxy, echo: Echo) -> None:
    async with connected(proxy) as (reader, writer):
        proxy.stall(answers_only=True)
        writer.write(b"hello")
        await wait_until(lambda: echo.heard == b"hello")
        assert await silent(reader)


@pytest.mark.parametrize("stalled", [False, True])
async def test_a_cut_breaks_connections_and_refuses_new_ones_until_it_is_healed(
    proxy: Proxy,
    stalled: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    async with connected(proxy) as (reader, writer):
        writer.write(b"x")
        await reader.readexactly(1)
        if stalled:
            proxy.stall()
        proxy.cut()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        async with connected(proxy) as (refused, _):
            with contextlib.suppress(ConnectionError):
                assert await refused.read() == b""
    proxy.heal()
    async with connected(proxy) as (reader, writer):
        writer.write(b"y")
        assert await reader.readexactly(1) == b"y"
    assert proxy.connections == 3


async def test_a_connection_cut_as_soon_as_it_is_made_is_closed(proxy: Proxy) -> None:
    for _ in range(20):
        seen = proxy.connections
        async with connected(proxy) as (reader, _):
            while proxy.connections == seen:  # noqa: ASYNC110  # the very next step is what is meant
                await asyncio.sleep(0)
            proxy.cut()
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), 1) == b""
        proxy.heal()


async def test_a_missing_server_closes_the_connection() -> None:
    async with Proxy("127.0.0.1:1").running() as proxy, connected(proxy) as (reader, _):
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 1) == b""


async def test_a_brokers_address_is_replaced_by_the_proxys() -> None:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        Proxy(f"127.0.0.1:{port}", disguise=True).running() as proxy,
        connected(proxy) as (reader, writer),
    ):
        writer.write(b"broker 1 is 127.0.0.1" + port.to_bytes(4, "big") + b"!")
        told = await reader.readexactly(26)
    server.close()
    assert told == b"broker 1 is 127.0.0.1" + proxy.port.to_bytes(4, "big") + b"!"
