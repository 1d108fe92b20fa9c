"""Hundreds of slow clients at the gateway and at the services: cut off, while others are served."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import psutil
import pytest

from tests.e2e.tokens import signed
from tests.faults.matrix import Row
from tests.support.api import open_api
from tests.support.fault_table import Recovery
from tests.support.stack import RunningStack
from tests.support.waiting import wait_for, wait_until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.long,
    pytest.mark.timeout(240),
    pytest.mark.fault(Row.SLOW_CLIENTS),
]

EACH = 60
CUT_OFF_WITHIN_S = 100.0
DOORS = ("gateway", "ingest-api", "query-api")
SERVED_WITHIN_S = 10.0
FILES = 30
IDLE = b""
HALF_A_HEAD = b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
MANY_ANSWERS = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 64


@pytest.mark.parametrize("door", DOORS)
async def test_slow_clients_are_cut_off_and_others_are_served(
    own_stack: RunningStack, recovery: Recovery, door: str
) -> None:
    port = own_stack.member(door).port
    processes = [psutil.Process(own_stack.member(each).pid) for each in DOORS]
    before = [process.num_fds() for process in processes]
    async with _clients(port, signed(own_stack.jwt_secret)) as are_gone:
        await _is_served(port)
        with recovery.timed():
            await wait_until(are_gone, timeout_s=CUT_OFF_WITHIN_S, what="the end of slow clients")
        await _is_served(port)

    async def as_before() -> bool:
        counts = [process.num_fds() for process in processes]
        return all(now <= then + FILES for now, then in zip(counts, before, strict=True))

    await wait_for(as_before, timeout_s=90, what="file descriptors to be given back")


@asynccontextmanager
async def _clients(port: int, token: str) -> AsyncIterator[Callable[[], bool]]:
    """Open slow connections of each kind, and return when all of them have been answered or closed."""
    post = (
        f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 900\r\n\r\n"
    ).encode()
    kinds = (
        (IDLE, _only_reads),
        (HALF_A_HEAD, _only_reads),
        (post + b"{", _only_reads),
        (post, _drips),
        (MANY_ANSWERS, _drips),  # and reads none of them
    )
    slow = [_client(port, sent, behave) for sent, behave in kinds for _ in range(EACH)]
    tasks = [asyncio.create_task(each) for each in slow]
    try:
        yield lambda: all(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _client(port: int, sent: bytes, behave: Behaviour) -> None:
    """Send something, then behave until the other side has closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    try:
        writer.write(sent)
        with suppress(ConnectionError):
            await behave(reader, writer)
    finally:
        writer.transport.abort()


async def _only_reads(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Wait for a response or the end; after a response the gateway keeps a connection as any other."""
    await reader.read(1)


async def _drips(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Write a byte now and then until the other side resets the connection."""
    while not writer.transport.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.2)  # as slow as it is


async def _is_served(port: int) -> None:
    async with asyncio.timeout(SERVED_WITHIN_S), open_api(f"http://127.0.0.1:{port}") as api:
        assert (await api.get("/health/live")).status == 200
