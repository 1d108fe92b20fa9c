"""The loops of the load generator: what they send, and that a slow server counts in full."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import repeat

import pytest
from bench.lanes import arrivals, closed_loop, during, open_lanes, open_loop, request_bytes, response_in

OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
PAUSE_S = 0.3


@asynccontextmanager
async def slow_first_response(*, responses: int = 100) -> AsyncIterator[str]:
    """Serve an API whose first response takes `PAUSE_S`, and that hangs up after so many."""
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # the client hangs up
            while sent < responses:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"Content-Length: 2" in head:
                    await reader.readexactly(2)
                if sent == 0:
                    await asyncio.sleep(PAUSE_S)
                sent += 1
                writer.write(OK)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(serve(reader, writer)))

    serving: set[asyncio.Task[None]] = set()
    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await asyncio.gather(*serving)


def test_arrivals_have_the_requested_rate_and_are_repeatable() -> None:
    instants = arrivals(rate=1000, count=20_000, seed=1)
    assert instants == sorted(instants)
    assert instants[-1] == pytest.approx(20, rel=0.05)
    assert instants == arrivals(rate=1000, count=20_000, seed=1)


@pytest.mark.parametrize("cut", range(1, len(OK)))
def test_a_response_is_returned_only_when_it_is_complete(cut: int) -> None:
    assert response_in(OK[:cut]) is None


def test_a_response_has_its_status_and_its_body() -> None:
    response = response_in(b"HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\nX: y\r\n\r\nabc")
    assert response is not None
    assert (response.status, response.body) == (404, b"abc")


@pytest.mark.parametrize("received", [OK + b"H", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_a_response_without_a_length_is_rejected(received: bytes) -> None:
    with pytest.raises(ValueError, match="response"):
        response_in(received)


async def test_a_request_behind_a_slow_response_counts_from_its_send_time() -> None:
    async with slow_first_response() as url, open_lanes(url, 1) as lanes:
        start = time.perf_counter()
        instants = [start + 0.01 * index for index in range(5)]
        took: dict[int, float] = {}

        def answered(index: int) -> None:
            took[index] = time.perf_counter() - instants[index]

        requests = [request_bytes("GET", "/")] * 5
        await open_loop(lanes, requests, instants, expected=202, answered=answered)
    assert all(took[index] >= PAUSE_S - 0.01 * index for index in range(5)), "not only the first one was slow"


async def test_a_closed_loop_sends_every_request_once_and_times_it() -> None:
    took: list[float] = []

    def requests() -> Iterator[bytes]:
        yield from [request_bytes("POST", "/events", body=b"{}")] * 7

    async with slow_first_response() as url, open_lanes(url, 3) as lanes:
        count = await closed_loop(
            lanes, requests(), at_once=3, expected=202, answered=lambda _, seconds: took.append(seconds)
        )
    assert count == len(took) == 7
    assert max(took) >= PAUSE_S


async def test_requests_end_with_their_time() -> None:
    started = time.perf_counter()
    assert all(request == b"x" for request in during(0.05, repeat(b"x")))
    assert 0.05 <= time.perf_counter() - started < 5


async def test_another_status_than_expected_ends_the_run() -> None:
    requests = [request_bytes("GET", "/")] * 5
    async with slow_first_response() as url, open_lanes(url, 1) as lanes:
        with pytest.raises(RuntimeError, match="202"):
            await closed_loop(lanes, iter(requests), at_once=1, expected=200)
    async with slow_first_response() as url, open_lanes(url, 1) as lanes:
        with pytest.raises(RuntimeError, match="202"):
            await open_loop(lanes, requests, [0.0] * 5, expected=200, answered=lambda _: None)


async def test_a_connection_that_breaks_ends_the_run() -> None:
    async with slow_first_response(responses=2) as url, open_lanes(url, 1) as lanes:
        with pytest.raises(ConnectionError):
            await closed_loop(lanes, iter([request_bytes("GET", "/")] * 5), at_once=1, expected=202)
