"""Sustained load: lanes that post batches side by side, each until it is accepted."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, cycle

import aiohttp
from pydantic_core import to_json

from domain.shipments.commands import Command
from domain.shipments.event_identity import EventId
from domain.shipments.status import Status
from tests.e2e.traffic import event_body
from tests.support.api import Json
from tests.support.history import Sent
from tests.support.waiting import wait_until

PAUSE_S = 0.1
REQUEST_TIMEOUT_S = 60.0


@dataclass(slots=True)
class Flood:
    """Sent events, and the responses.

    Attributes:
        accepted: how often each event stands in the log by what was answered.
        in_doubt: how often more it may stand there.
        slowest_s: the longest wait for an answer.
        broken: posts that had no answer.
    """

    url: str
    token: str
    numbers: Sequence[str]
    accepted: Counter[EventId] = field(default_factory=Counter)
    in_doubt: Counter[EventId] = field(default_factory=Counter)
    responses: Counter[int] = field(default_factory=Counter)
    slowest_s: float = 0.0
    broken: int = 0
    without_hint: int = 0

    @asynccontextmanager
    async def running(self, *, lanes: int, batch: int, every_s: float = 0.0) -> AsyncIterator[None]:
        """Post while the context lasts; at its end all open batches are repeated until accepted.

        Args:
            lanes: posts at a time.
            batch: events a post.
            every_s: from post to post of a lane, at least.
        """
        over = asyncio.Event()
        bodies = self._bodies(batch)
        async with (
            aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S),
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(lanes):
                group.create_task(self._lane(session, bodies, over, every_s))
            try:
                yield
            finally:
                over.set()

    async def wait_for_outcome(self, event: Json, *, wait_s: int) -> int:
        """Post one event that waits for its outcome, and return the status of the response."""
        headers = {"Authorization": f"Bearer {self.token}", "Prefer": f"wait={wait_s}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{self.url}/events", json=event) as response,
        ):
            if "Location" in response.headers:  # else it is not in the log
                self.accepted[EventId(response.headers["Location"].removeprefix("/events/"))] += 1
            return response.status

    def sent(self, *others: Iterable[Command]) -> list[Sent]:
        """Return everything sent, with the commands that others sent."""
        counts = self.accepted + Counter(command.event_id for command in chain(*others))
        return [Sent(event_id, times, self.in_doubt[event_id]) for event_id, times in counts.items()]

    async def accepted_more(self, posts: int) -> None:
        """Wait until so many posts more are accepted."""
        enough = self.responses[202] + posts
        await wait_until(lambda: self.responses[202] >= enough, timeout_s=120, what="posts that are accepted")

    def refused(self) -> int:
        """Number of rejected posts with a `Retry-After`."""
        return self.responses[503]

    def _bodies(self, batch: int) -> Iterator[list[Json]]:
        numbers = cycle(self.numbers)
        while True:
            yield [event_body(next(numbers), Status.PICKED_UP) for _ in range(batch)]

    async def _lane(
        self,
        session: aiohttp.ClientSession,
        batches: Iterator[list[Json]],
        over: asyncio.Event,
        every_s: float,
    ) -> None:
        due = time.monotonic()
        while not over.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + every_s, time.monotonic())
            events = next(batches)
            body = to_json({"events": events})
            refusals = 0
            while (ids := await self._post(session, body)) is None:
                refusals += 1
                await asyncio.sleep(PAUSE_S)
            self.accepted.update(ids)
            for event_id in ids if refusals else ():
                self.in_doubt[event_id] += refusals

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> list[EventId] | None:
        started = time.monotonic()
        try:
            async with session.post(f"{self.url}/events/batch", data=body) as response:
                said = await response.json()
        except (aiohttp.ClientError, TimeoutError):
            self.broken += 1
            return None
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)
        self.responses[response.status] += 1
        if response.status == 202:
            return [item["event_id"] for item in said["events"]]
        assert response.status in (429, 503), said
        self.without_hint += "Retry-After" not in response.headers
        return None


async def while_it_lasts(seconds: float, look: Callable[[], None]) -> None:
    """Call `look` at intervals for the length of the fault."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        look()
        await asyncio.sleep(0.1)
