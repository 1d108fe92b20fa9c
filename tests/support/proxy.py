"""A TCP proxy that can be slowed, stalled or cut, for the faults that a healthy server does not show."""

import asyncio
import contextlib
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator

LOOPBACK = "127.0.0.1"
_CHUNK = 256 * 1024


class Proxy:
    """Proxy between its own port and a server's, transparent until a fault is set.

    Kafka advertises its brokers' addresses, so clients would bypass the proxy. With `disguise` the
    broker's address in its answers is replaced by the proxy's; both are a host and four bytes of port.
    """

    def __init__(self, target: str, *, disguise: bool = False) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._disguise = disguise
        self._requests, self._responses = asyncio.Event(), asyncio.Event()
        self._refusing = False
        self._delay_s = 0.0
        self._lost: bytes | None = None
        self._pumps: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.port = 0
        self.heal()

    @property
    def address(self) -> str:
        """Address to connect to."""
        return f"{LOOPBACK}:{self.port}"

    def stall(self, *, answers_only: bool = False) -> None:
        """Stop forwarding without closing; new connections are accepted and get nothing, too.

        Args:
            answers_only: let requests through, so that what is asked for happens, but nobody hears of it.
        """
        if not answers_only:
            self._requests.clear()
        self._responses.clear()

    def slow(self, delay_s: float) -> None:
        """Delay everything by `delay_s`."""
        self._delay_s = delay_s

    def lose(self, marker: bytes) -> None:
        """Break each connection at a request that holds these bytes, instead of forwarding it."""
        self._lost = marker

    def cut(self) -> None:
        """Break all connections, and every new one at once."""
        self._refusing = True
        for pump in self._pumps:
            pump.cancel()

    def heal(self) -> None:
        """Work again; delayed bytes are forwarded."""
        self._refusing = False
        self._delay_s = 0.0
        self._lost = None
        self._requests.set()
        self._responses.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        """Listen while the context lasts."""
        server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for pump in self._pumps:
                pump.cancel()
            await asyncio.gather(*self._pumps, return_exceptions=True)
            await server.wait_closed()

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.connections += 1
        if self._refusing:
            writer.transport.abort()
            return
        pump = asyncio.create_task(self._serve(reader, writer))
        self._pumps.add(pump)
        pump.add_done_callback(self._pumps.discard)
        # Not inside the task: one that is cancelled before its first step never gets there.
        pump.add_done_callback(lambda _: writer.transport.abort())

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            responses, onward = await asyncio.open_connection(*self._target)
        except OSError:
            return
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, onward, self._requests))
                both.create_task(self._pump(responses, writer, self._responses))
        except* (_Closed, OSError):
            pass  # one side has gone, and the other one follows
        finally:
            onward.transport.abort()

    async def _pump(self, reader: StreamReader, writer: StreamWriter, flowing: asyncio.Event) -> None:
        while data := await reader.read(_CHUNK):
            await flowing.wait()
            if self._lost is not None and flowing is self._requests and self._lost in data:
                raise _Closed
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            writer.write(self._disguised(data) if flowing is self._responses else data)
            await writer.drain()
        raise _Closed

    def _disguised(self, data: bytes) -> bytes:
        if not self._disguise:
            return data
        host, port = self._target
        return data.replace(
            host.encode() + struct.pack(">i", port), host.encode() + struct.pack(">i", self.port)
        )


def mongo_uri_of(proxy: Proxy) -> str:
    """Return the URI of the MongoDB behind a proxy; a driver that knew its replica set would bypass it."""
    return f"mongodb://{proxy.address}/?directConnection=true"


class _Closed(Exception):
    """One side has closed the connection."""
