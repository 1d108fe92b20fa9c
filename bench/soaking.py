"""Sender of the soak's load through the gateway at a steady rate; it retains only unknown results."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import aiohttp
from bench.lives import BY_HTTP, CREATOR, Block, block_of, idempotency_key
from bench.load import creation, log_in
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
        numbers, pace = count(), _Pace(self.rate)
        async with (
            _logged_in(self.url, "driver_user_001") as reporter,
            _logged_in(self.url, CREATOR) as admin,
            asyncio.TaskGroup() as lanes,
        ):
            sender = _Sender(self, log, pace, reporter, admin)
            for _ in range(LANES):
                lanes.create_task(self._lane(sender, numbers, over))
        self.behind_s = pace.behind_s

    async def _lane(self, sender: "_Sender", numbers: Iterator[int], over: asyncio.Event) -> None:
        while not over.is_set():
            index = next(numbers)
            block = block_of(self.seed, index)
            await sender.send(index, block)
            self.blocks += 1
            self.events += block.events


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
class _Sender:
    soaking: Soaking
    log: KafkaCommandLog
    pace: _Pace
    reporter: aiohttp.ClientSession
    admin: aiohttp.ClientSession

    async def send(self, index: int, block: Block) -> None:
        await self.pace.take(len(block.numbers))
        await self.log.append([creation(number) for number in block.numbers[BY_HTTP:]])
        first = index * len(block.numbers)
        for at, number in enumerate(block.numbers[:BY_HTTP], first):
            key = idempotency_key(self.soaking.seed, at)
            headers = {"Idempotency-Key": key, "Prefer": "wait=0"}
            await self._until_taken(index, self.admin, "/shipments", _description(number), headers)
        for event in block.singles:
            await self.pace.take(1)
            await self._until_taken(index, self.reporter, "/events", event, {"Prefer": "wait=5"})
        for step in block.steps:
            for at in range(0, len(step), BATCH):
                batch = step[at : at + BATCH]
                await self.pace.take(len(batch))
                await self._until_taken(index, self.reporter, "/events/batch", {"events": batch}, {})
        for path in _reads(block.numbers):
            self.soaking.responses[await _status(self.admin.get(path))] += 1

    async def _until_taken(
        self, index: int, caller: aiohttp.ClientSession, path: str, body: object, headers: Mapping[str, str]
    ) -> None:
        data, headers = to_json(body), {"Content-Type": "application/json", **headers}
        while (status := await _status(caller.post(path, data=data, headers=headers))) not in GOOD:
            self.soaking.responses[status] += 1
            self.soaking.doubts[index] += 1
            await asyncio.sleep(PAUSE_S)
        self.soaking.responses[status] += 1


@asynccontextmanager
async def _logged_in(url: str, username: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session:
        session.headers["Authorization"] = f"Bearer {await log_in(session, username)}"
        yield session


async def _status(request: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> int:
    """Return the status of the response, 0 if there is none."""
    try:
        async with request as response:
            await response.read()
            return response.status
    except (aiohttp.ClientError, TimeoutError):
        return 0


def _description(number: TrackingNumber) -> dict[str, Any]:
    command = creation(number)
    return {
        "client_id": command.client_id,
        "origin": command.origin,
        "destination": command.destination,
        "package": command.package,
    }


def _reads(numbers: Sequence[TrackingNumber]) -> Iterator[str]:
    for number in random.sample(numbers, READS // 2):
        yield f"/shipments/{number}"
        yield f"/shipments/{number}/events"
    yield "/shipments?limit=20"
