"""Sender of the soak's load through the gateway at a steady rate; it retains only unknown results."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import aiohttp
from bench.lives import BY_HTTP, CREATOR, Block, block_of, idempotency_key
from bench.load import Event, creation, log_in
from pydantic_core import to_json

from domain.shipments.tracking_number import TrackingNumber
from messaging.producer.command_log import KafkaCommandLog

BATCH: Final = 250
READS: Final = 20
LANES: Final = 6
PAUSE_S: Final = 0.5
TIMEOUT_S: Final = 60.0
GOOD: Final = frozenset({200, 201, 202, 409})
"""409: an event that was waited for and came late; its outcome is checked like that of others."""


@dataclass(slots=True)
class Soaking:
    """The load, and the result of each request.

    Attributes:
        blocks: number of blocks sent completely.
        doubts: by block, additional occurrences of its events that the log may hold.
        responses: count of each status; 0: no response.
    """

    seed: int
    rate: float
    url: str
    blocks: int = 0
    events: int = 0
    doubts: Counter[int] = field(default_factory=Counter)
    responses: Counter[int] = field(default_factory=Counter)
    behind_s: float = 0.0

    async def run(self, log: KafkaCommandLog, over: asyncio.Event) -> None:
        """Send block after block until it is `over`; blocks in progress are finished."""
        numbers = count()
        async with aiohttp.ClientSession(self.url, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session:
            reporter = await log_in(session, "driver_user_001")
            admin = await log_in(session, CREATOR)
            pace = _Pace(self.rate)
            async with asyncio.TaskGroup() as lanes:
                for _ in range(LANES):
                    lanes.create_task(self._lane(_Caller(session, reporter, admin), log, numbers, pace, over))
            self.behind_s = pace.behind_s

    async def _lane(
        self,
        caller: "_Caller",
        log: KafkaCommandLog,
        numbers: Iterator[int],
        pace: "_Pace",
        over: asyncio.Event,
    ) -> None:
        while not over.is_set():
            index = next(numbers)
            block = block_of(self.seed, index)
            await self._send(caller, log, pace, index, block)
            self.blocks += 1
            self.events += block.events

    async def _send(
        self, caller: "_Caller", log: KafkaCommandLog, pace: "_Pace", index: int, block: Block
    ) -> None:
        await pace.take(len(block.numbers))
        await log.append([creation(number) for number in block.numbers[BY_HTTP:]])
        first = index * len(block.numbers)
        for at, number in enumerate(block.numbers[:BY_HTTP]):
            await self._until_taken(caller.create(idempotency_key(self.seed, first + at), number), index)
        for event in block.singles:
            await pace.take(1)
            await self._until_taken(caller.report_and_wait(event), index)
        for step in block.steps:
            for at in range(0, len(step), BATCH):
                batch = step[at : at + BATCH]
                await pace.take(len(batch))
                await self._until_taken(caller.report(batch), index)
        for path in _reads(block.numbers):
            self.responses[await caller.get(path)] += 1

    async def _until_taken(self, request: "_Request", index: int) -> None:
        while (status := await request.send()) not in GOOD:
            self.responses[status] += 1
            self.doubts[index] += 1
            await asyncio.sleep(PAUSE_S)
        self.responses[status] += 1


class _Pace:
    """Rate limiter over all lanes; a backlog of more than a second is dropped."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._next = time.monotonic()
        self.behind_s = 0.0

    async def take(self, events: int) -> None:
        now = time.monotonic()
        if now - self._next > 1.0:
            self.behind_s += now - self._next - 1.0
            self._next = now - 1.0
        due, self._next = self._next, self._next + events / self._rate
        await asyncio.sleep(max(0.0, due - now))


@dataclass(frozen=True, slots=True)
class _Request:
    session: aiohttp.ClientSession
    path: str
    body: bytes
    headers: Mapping[str, str]

    async def send(self) -> int:
        """Return the status of the response, 0 if there is none."""
        try:
            async with self.session.post(self.path, data=self.body, headers=self.headers) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0


@dataclass(frozen=True, slots=True)
class _Caller:
    session: aiohttp.ClientSession
    reporter: str
    admin: str

    def create(self, key: str, number: TrackingNumber) -> _Request:
        command = creation(number)
        body: dict[str, Any] = {
            "client_id": command.client_id,
            "origin": command.origin,
            "destination": command.destination,
            "package": command.package,
        }
        return self._post("/shipments", body, self.admin, {"Idempotency-Key": key, "Prefer": "wait=0"})

    def report(self, events: Sequence[Event]) -> _Request:
        return self._post("/events/batch", {"events": events}, self.reporter, {})

    def report_and_wait(self, event: Event) -> _Request:
        return self._post("/events", event, self.reporter, {"Prefer": "wait=5"})

    async def get(self, path: str) -> int:
        headers = {"Authorization": f"Bearer {self.admin}"}
        try:
            async with self.session.get(path, headers=headers) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    def _post(self, path: str, body: object, token: str, headers: Mapping[str, str]) -> _Request:
        said = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
        return _Request(self.session, path, to_json(body), said)


def _reads(numbers: Sequence[TrackingNumber]) -> Iterator[str]:
    for number in random.sample(numbers, READS // 2):
        yield f"/shipments/{number}"
        yield f"/shipments/{number}/events"
    yield "/shipments?limit=20"
