"""Arbitrary input: a response in time, never a 5xx, and every rejection in the one error format."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import psutil
import pytest

from tests.e2e.fuzz_inputs import Input, Inputs
from tests.support.api import Api
from tests.support.raw_http import RawConnection, RawResponse
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.slow]

SEED = 20261123
CONNECTIONS = 48
ANSWERED_WITHIN_S = 10.0
SHRINKING_S = 20.0
GROWTH_BYTES = 150 << 20
HOST = "127.0.0.1"
ERROR_KEYS = {"error", "message", "status_code", "timestamp"}
SERVICES = ("ingest-api", "query-api", "processor")
NOT_ROUTED = {400, 408, 417, 431, 501, 505}
"""Response of the gateway's parser to invalid HTTP, not in the form of the API."""


class Fuzzer:
    """Sender of inputs over many connections at once, which counts the results."""

    def __init__(self, stack: RunningStack) -> None:
        gateway = urlsplit(stack.gateway_url).port
        assert gateway is not None
        self._gateway = gateway
        self._services = [stack.member(name).port for name in ("ingest-api", "query-api")]
        self.counts: Counter[str] = Counter()
        self.slowest_s = 0.0
        self.faults: list[tuple[str, Input]] = []

    async def run(self, inputs: Iterator[Input]) -> None:
        async with asyncio.TaskGroup() as group:
            for index in range(CONNECTIONS):
                group.create_task(self._worker(inputs, self._services[index % 2]))

    async def _worker(self, inputs: Iterator[Input], service: int) -> None:
        through, past = RawConnection(HOST, self._gateway), RawConnection(HOST, service)
        try:
            for sent in inputs:
                if len(self.faults) > 5:
                    break
                await self._try(past if sent.direct else through, sent)
        finally:  # a socket that is left open here fails whichever test runs when it is collected
            await through.close()
            await past.close()

    async def _try(self, connection: RawConnection, sent: Input) -> None:
        started = time.monotonic()
        fault = await _ask(connection, sent, self.counts)
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)
        if fault is not None:
            self.faults.append((fault, sent))

    async def fails(self, sent: Input, *, like: str) -> bool:
        connection = RawConnection(HOST, self._services[0] if sent.direct else self._gateway)
        try:
            return (await _ask(connection, sent, Counter()) or "").startswith(like)
        finally:
            await connection.close()


async def _ask(connection: RawConnection, sent: Input, counts: Counter[str]) -> str | None:
    try:
        response = await connection.exchange(sent.request, is_last=not sent.is_http)
    except TimeoutError:
        counts["no answer"] += 1
        return "no answer in time"
    counts["no answer" if response is None else f"{response.status // 100}xx"] += 1
    return fault_of(response, sent)


def fault_of(response: RawResponse | None, sent: Input) -> str | None:
    """Return the fault of a response; None if it has none."""
    if response is None:
        return "hung up" if sent.is_http else None
    if not sent.is_http and not sent.direct and "x-request-id" not in response.headers:
        return None if response.status in NOT_ROUTED else f"{response.status} before routing"
    if response.status >= 500:
        return f"{response.status}: {response.body[:300]!r}"
    if response.status < 400 or not response.body:
        return None
    try:
        body = json.loads(response.body)
    except ValueError:
        return f"{response.status} without the error body: {response.body[:300]!r}"
    right = ERROR_KEYS <= set(body) <= ERROR_KEYS | {"details"} and body["status_code"] == response.status
    return None if right else f"another body: {body}"


async def shrunk(fuzzer: Fuzzer, sent: Input, *, like: str) -> Input:
    """Shrink a failing input to the part that it needs to fail."""
    size = len(sent.request) // 2
    deadline = time.monotonic() + SHRINKING_S
    while size and time.monotonic() < deadline:
        for at in range(0, len(sent.request), size):
            shorter = Input(sent.request[:at] + sent.request[at + size :], sent.is_http, sent.direct)
            if await fuzzer.fails(shorter, like=like):
                sent = shorter
                break
        else:
            size //= 2
    return sent


def _problems(stack: RunningStack) -> list[str]:
    """Return what query-api logged of the system's health, which is what its 503 is about."""
    lines = (stack.home.logs / "query-api-1.log").read_text().splitlines()
    return [line for line in lines if "event_queue_changed" in line or "health_check_failed" in line]


def memory(stack: RunningStack) -> Mapping[str, int]:
    return {name: psutil.Process(stack.member(name).pid).memory_info().rss for name in SERVICES}


def pids(stack: RunningStack) -> Mapping[str, int]:
    return {name: stack.member(name).pid for name in SERVICES}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", [5_000, pytest.param(40_000, marks=pytest.mark.long)])
async def test_no_input_brings_a_service_down(
    own_stack: RunningStack,
    admin: Api,
    tokens: Mapping[str, str],
    capsys: pytest.CaptureFixture[str],
    count: int,
) -> None:
    before, started = memory(own_stack), time.monotonic()
    alive = pids(own_stack)
    fuzzer = Fuzzer(own_stack)

    await fuzzer.run(itertools.islice(Inputs(SEED, tokens["admin_user"]), count))

    took_s = time.monotonic() - started
    with capsys.disabled():  # the figures are the point
        print(f"\nfuzz: seed {SEED}, {fuzzer.counts.total()} inputs in {took_s:.1f} s:", dict(fuzzer.counts))  # noqa: T201
    if fuzzer.faults:
        fault, sent = fuzzer.faults[0]
        smallest = await shrunk(fuzzer, sent, like=fault[:3])
        pytest.fail(f"{fault}: {smallest}; health: {_problems(own_stack)}; in all {fuzzer.faults}")
    assert fuzzer.counts.total() == count
    assert fuzzer.slowest_s < ANSWERED_WITHIN_S
    assert pids(own_stack) == alive
    grown = {name: size - before[name] for name, size in memory(own_stack).items()}
    assert all(size < GROWTH_BYTES for size in grown.values()), grown
    assert (await admin.get("/health")).status == 200
