"""A light HTTP client: keep-alive connections, requests prepared as bytes, a closed loop and an open one.

On a machine that it shares with what it measures, the load generator must cost little: about 20 µs a request,
where aiohttp's own client takes more than the server. It knows no more of HTTP than Waybill's responses need.

A closed loop waits for a slow response before it sends the next request, and so leaves out the delay of the
requests that it did not send meanwhile (coordinated omission). In the open loop each latency counts from the
instant at which the request was meant to leave: late responses, busy connections and a generator that is late
itself all count.
"""

import asyncio
import random
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import accumulate
from typing import Final, NamedTuple, cast
from urllib.parse import urlsplit

LOOPBACK: Final = "127.0.0.1"
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_STATUS: Final = slice(9, 12)


class Response(NamedTuple):
    """One HTTP response."""

    status: int
    head: bytes
    body: bytes


Then = Callable[[Response], None]


def request_bytes(
    method: str, path: str, *, token: str | None = None, body: bytes | None = None, host: str = LOOPBACK
) -> bytes:
    """Return a request as bytes on the wire."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class Lane(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self, owner: "Lanes") -> None:
        self._owner = owner
        self._then: Then | None = None
        self._received = b""
        self._wire: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._wire = cast("asyncio.WriteTransport", transport)

    def ask(self, request: bytes, then: Then) -> None:
        """Send a request."""
        if self._wire is None:
            raise ConnectionError("not connected")
        self._then = then
        self._wire.write(request)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._received = self._received + data if self._received else data
        try:
            response = response_in(self._received)
        except ValueError as error:
            self._owner.fail(error)
            return
        if response is not None and self._then is not None:
            then, self._then, self._received = self._then, None, b""
            self._owner.free(self)
            then(response)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._owner.fail(ConnectionError(f"a connection was lost: {exc}"))

    def close(self) -> None:
        """Close the connection."""
        if self._wire is not None:
            self._wire.close()


class Lanes:
    """Several connections to one server; requests queue when all are busy."""

    def __init__(self) -> None:
        self._idle: deque[Lane] = deque()
        self._waiting: deque[tuple[bytes, Then]] = deque()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, request: bytes, then: Then) -> None:
        """Send a request as soon as a connection is free; `then` gets the response."""
        if self._idle:
            self._idle.popleft().ask(request, then)  # in rotation: what is idle for long is closed
        else:
            self._waiting.append((request, then))

    def free(self, lane: Lane) -> None:
        """Take a connection that has its response, or give it the next request."""
        if self._waiting:
            lane.ask(*self._waiting.popleft())
        else:
            self._idle.append(lane)

    def fail(self, error: Exception) -> None:
        """Record the error that ends the run."""
        if not self.failed.done():
            self.failed.set_exception(error)

    async def until(self, done: asyncio.Future[None]) -> None:
        """Wait for the end of a run, or for the error that breaks it.

        Raises:
            ConnectionError: a connection was lost.
            ValueError: a response could not be parsed.
            RuntimeError: a response has another status than expected.
        """
        await asyncio.wait((done, self.failed), return_when=asyncio.FIRST_COMPLETED)
        (self.failed if self.failed.done() else done).result()


@asynccontextmanager
async def open_lanes(url: str, count: int) -> AsyncIterator[Lanes]:
    """Open connections to the server of a URL."""
    address, lanes = urlsplit(url), Lanes()
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: Lane(lanes), address.hostname or LOOPBACK, address.port or 80))[
            1
        ]
        for _ in range(count)
    ]
    for lane in opened:
        lanes.free(lane)
    try:
        yield lanes
    finally:
        lanes.failed.cancel()
        for lane in opened:
            lane.close()


def response_in(received: bytes) -> Response | None:
    """Return the response in these bytes, None if it is not complete.

    Raises:
        ValueError: its length is not said, or there is more than one response.
    """
    end = received.find(_HEAD_END)
    if end < 0:
        return None
    head, start = received[:end], end + len(_HEAD_END)
    length = _LENGTH.search(head)
    if length is None:
        raise ValueError(f"a response without a length: {head[:200]!r}")
    missing = start + int(length[1]) - len(received)
    if missing < 0:
        raise ValueError("more than one response")
    return None if missing else Response(int(head[_STATUS]), head, received[start:])


def unexpected(response: Response) -> RuntimeError:
    """Return the error that ends a run."""
    return RuntimeError(f"{response.status}: {response.body[:300]!r}")


def during(seconds: float, requests: Iterator[bytes]) -> Iterator[bytes]:
    """Yield requests until the time is over."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        yield next(requests)


async def closed_loop(
    lanes: Lanes,
    requests: Iterator[bytes],
    *,
    at_once: int,
    expected: int,
    answered: Callable[[Response, float], None] = lambda _response, _seconds: None,
) -> int:
    """Send all requests, `at_once` at a time, each after a response; return the number of responses.

    `answered` is called with each response and the seconds that it took.

    Raises:
        RuntimeError: a response has another status than expected.
    """
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    running = count = 0

    def ask() -> None:
        nonlocal running
        if (request := next(requests, None)) is not None:
            running += 1
            asked = time.perf_counter()
            lanes.send(request, lambda response: then(response, asked))
        elif running == 0 and not done.done():
            done.set_result(None)

    def then(response: Response, asked: float) -> None:
        nonlocal running, count
        running, count = running - 1, count + 1
        if response.status != expected:
            lanes.fail(unexpected(response))
        else:
            answered(response, time.perf_counter() - asked)
            ask()

    for _ in range(at_once):
        ask()
    await lanes.until(done)
    return count


def arrivals(*, rate: float, count: int, seed: int) -> list[float]:
    """Return instants in seconds, `rate` a second on average, as independent senders make them (Poisson)."""
    rng = random.Random(seed)  # noqa: S311  # a load, not a secret
    return list(accumulate(rng.expovariate(rate) for _ in range(count)))


async def open_loop(
    lanes: Lanes,
    requests: Sequence[bytes],
    instants: Sequence[float],
    *,
    expected: int,
    answered: Callable[[int], None],
) -> None:
    """Send each request at its instant, by `time.perf_counter`, and wait for all responses.

    Args:
        lanes: connections to the server.
        requests: the requests.
        instants: when each is to leave.
        expected: status of every response; any other ends the run.
        answered: called with the number of each request whose response has come.
    """
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    missing = len(requests)

    def then(index: int, response: Response) -> None:
        nonlocal missing
        if response.status != expected:
            lanes.fail(unexpected(response))
            return
        answered(index)
        missing -= 1
        if missing == 0:
            done.set_result(None)

    for index, (request, instant) in enumerate(zip(requests, instants, strict=True)):
        if (wait_s := instant - time.perf_counter()) > 0:
            await asyncio.sleep(wait_s)
        lanes.send(request, partial(then, index))
    await lanes.until(done)
