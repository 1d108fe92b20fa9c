"""Clients of event streams that cost little: thousands of connections, each reconnecting as a browser does.

As with `bench.lanes`, they share the machine with what they measure, and know no more of HTTP and of
server-sent events than Waybill's streams need.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final, cast
from urllib.parse import urlsplit

from bench.lanes import LOOPBACK

RETRY_S: Final = 1.5
OPENED_AT_ONCE: Final = 100
SHARE_OPEN: Final = 0.95
"""Of many streams never all are open: each ends within a minute, and is asked for again after `RETRY_S`."""
_OK: Final = b"HTTP/1.1 200"
_EVENT: Final = re.compile(rb"id: ([0-9]+)\n")
_END: Final = b"0\r\n\r\n"

Heard = Callable[[str, int], None]
"""Is called with the path of a stream and the version of an event."""


class Followers:
    """Counters of many followers.

    Attributes:
        open: streams that are open now.
        opened: streams that were opened so far, reconnects included.
        rejected: responses that were no stream.
        events: events that came.
        connecting: reconnects under way.
    """

    def __init__(self, heard: Heard | None = None) -> None:
        self.open = 0
        self.opened = 0
        self.rejected = 0
        self.events = 0
        self.heard = heard
        self.is_over = False
        self.connecting = set[asyncio.Task[None]]()


class Follower(asyncio.Protocol):
    """One follower of one stream."""

    __slots__ = ("_address", "_all", "_answered", "_is_open", "_path", "_token", "_version", "_wire")

    def __init__(
        self, everyone: Followers, address: tuple[str, int], path: str, token: str | None = None
    ) -> None:
        self._all = everyone
        self._address = address
        self._path = path
        self._token = token
        self._version = 0
        self._is_open = False
        self._wire: asyncio.WriteTransport | None = None
        self._answered = asyncio.Event()

    async def open(self) -> None:
        """Ask for the stream for the first time; return when there is a response, whatever it is."""
        await self.connect()
        await self._answered.wait()

    async def connect(self) -> None:
        """Connect, and ask for the stream."""
        await asyncio.get_running_loop().create_connection(lambda: self, *self._address)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._wire = cast("asyncio.WriteTransport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if not self._is_open:
            self._begin(data)
        for event in _EVENT.finditer(data):
            self._version = int(event[1])
            self._all.events += 1
            if self._all.heard is not None:
                self._all.heard(self._path, self._version)
        if self._is_open and data.endswith(_END):
            self._end()
            asyncio.get_running_loop().call_later(RETRY_S, self._ask)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # as `asyncio.Protocol` has it
        """See `asyncio.Protocol`."""
        self._wire = None
        self._answered.set()
        self._end()
        if not self._all.is_over:
            asyncio.get_running_loop().call_later(RETRY_S, self._reconnect)

    def close(self) -> None:
        """Leave."""
        if self._wire is not None:
            self._wire.abort()

    def _ask(self) -> None:
        if self._wire is None or self._wire.is_closing():
            return  # it is lost, and `connection_lost` has seen to it
        lines = [f"GET {self._path} HTTP/1.1", f"Host: {LOOPBACK}", "Accept: text/event-stream"]
        if self._version:
            lines.append(f"Last-Event-ID: {self._version}")
        if self._token is not None:
            lines.append(f"Authorization: Bearer {self._token}")
        self._wire.write("\r\n".join([*lines, "", ""]).encode())

    def _begin(self, data: bytes) -> None:
        self._answered.set()
        if data.startswith(_OK):
            self._is_open = True
            self._all.open += 1
            self._all.opened += 1
        else:
            self._all.rejected += 1
            self.close()

    def _end(self) -> None:
        if self._is_open:
            self._is_open = False
            self._all.open -= 1

    def _reconnect(self) -> None:
        if not self._all.is_over:
            task = asyncio.create_task(self._try_again())
            self._all.connecting.add(task)
            task.add_done_callback(self._all.connecting.discard)

    async def _try_again(self) -> None:
        try:
            await self.connect()
        except OSError:
            asyncio.get_running_loop().call_later(RETRY_S, self._reconnect)


@asynccontextmanager
async def following(
    url: str, paths: Iterable[str], *, token: str | None = None, heard: Heard | None = None
) -> AsyncIterator[Followers]:
    """Open a stream for each path, and follow them while the context lasts."""
    site, everyone = urlsplit(url), Followers(heard)
    address = site.hostname or LOOPBACK, site.port or 80
    followers = [Follower(everyone, address, path, token) for path in paths]
    waiting = iter(followers)

    async def open_some() -> None:
        for follower in waiting:
            await follower.open()

    await asyncio.gather(*(open_some() for _ in range(OPENED_AT_ONCE)))
    try:
        yield everyone
    finally:
        everyone.is_over = True
        for follower in followers:
            follower.close()
        await asyncio.gather(*everyone.connecting)


async def all_open(everyone: Followers, count: int, *, within_s: float) -> float:
    """Wait until so many streams are open, or between two connections; return the seconds that took.

    Raises:
        TimeoutError: they were not in time.
    """
    begun = time.perf_counter()
    async with asyncio.timeout(within_s):
        while everyone.open < count * SHARE_OPEN:  # noqa: ASYNC110  # light while it runs
            await asyncio.sleep(0.05)
    return time.perf_counter() - begun
