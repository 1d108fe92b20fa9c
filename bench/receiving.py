"""A receiver of webhooks that costs little: it counts, and notes when the message of each change came.

As with `bench.lanes`, it shares the machine with what it measures, and knows no more of HTTP than the
requests need. It verifies no signature: the tests do.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, cast

LOOPBACK: Final = "127.0.0.1"
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_EVENT: Final = re.compile(rb'"event_id": ?"([^"]+)"')
_NO_CONTENT: Final = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver:
    """Counters of a receiver.

    Attributes:
        port: on the loopback address.
        received: number of messages.
        last_at: when the last one came, by `perf_counter`.
        arrived: called with the id of the event of each message, and the path it came to, if given.
    """

    def __init__(self, arrived: Callable[[str, str], None] | None = None) -> None:
        self.port = 0
        self.received = 0
        self.last_at = 0.0
        self.arrived = arrived

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"http://{LOOPBACK}:{self.port}{path}"

    async def has(self, messages: int, *, within_s: float) -> None:
        """Wait until so many messages have come.

        Raises:
            TimeoutError: they did not in time.
        """
        async with asyncio.timeout(within_s):
            while self.received < messages:  # noqa: ASYNC110  # light while it runs
                await asyncio.sleep(0.02)

    def take(self, head: bytes, body: bytes) -> None:
        """Count a message."""
        self.received += 1
        self.last_at = time.perf_counter()
        if self.arrived is not None and (event := _EVENT.search(body)):
            self.arrived(event[1].decode(), head.split(b" ", 2)[1].decode())


class _Connection(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._wire: asyncio.WriteTransport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(_HEAD_END)) >= 0:
            head = self._buffer[:end]
            length = _LENGTH.search(head)
            whole = end + len(_HEAD_END) + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + len(_HEAD_END) : whole], self._buffer[whole:]
            self._receiver.take(head, body)
            if self._wire is not None:
                self._wire.write(_NO_CONTENT)


@asynccontextmanager
async def receiver(arrived: Callable[[str, str], None] | None = None) -> AsyncIterator[Receiver]:
    """Receive messages while the context lasts; each is confirmed at once."""
    opened = Receiver(arrived)
    server = await asyncio.get_running_loop().create_server(partial(_Connection, opened), LOOPBACK, 0)
    opened.port = server.sockets[0].getsockname()[1]
    try:
        yield opened
    finally:
        server.close()


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """Give the port of a server that takes every connection, and never answers."""
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, LOOPBACK, 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
