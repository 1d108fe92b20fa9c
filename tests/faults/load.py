"""Traffic for a stack that is being broken: eventful lives, each call noted, repeated until accepted."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from random import Random
from typing import Final

import aiohttp

from domain.shipments.event_identity import creation_event_id, event_id
from domain.shipments.tracking_number import TrackingNumber, derive_tracking_number
from domain.timestamps import parse_timestamp
from tests.e2e.traffic import chunks, event_body, eventful_life, shipment_body
from tests.faults.books import Books, Ended
from tests.support.api import Answer, Api, Json

LANES: Final = 8
WIDTH: Final = 20
BATCH: Final = 70
USER: Final = "admin_user"
PATIENCE_S: Final = 15.0
_AGAIN_S: Final = 0.1
_JUDGED: Final = (404, 409)
"""Statuses for one who waited: the event is in the log, and was judged."""


@dataclass(slots=True)
class Pace:
    """Spreads events evenly over time; what was missed while nothing went through is not made up for."""

    per_s: float
    _next_at: float = field(default_factory=time.monotonic)

    async def take(self, events: int) -> None:
        """Wait for the turn of so many events."""
        now = time.monotonic()
        self._next_at = max(self._next_at, now) + events / self.per_s
        await asyncio.sleep(self._next_at - events / self.per_s - now)


@dataclass(frozen=True, slots=True)
class Caller:
    """Posts, and notes each call in the books."""

    admin: Api
    books: Books
    patience_s: float

    async def post(self, path: str, body: Json, ids: Sequence[str], headers: dict[str, str]) -> Answer | None:
        """Post once the events that have these ids; None if there was no answer."""
        what = f"POST {path}"
        try:
            async with asyncio.timeout(self.patience_s):
                answer = await self.admin.post(path, body, headers=headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.books.note(what, Ended.UNKNOWN, ids, answer=type(error).__name__)
            return None
        self.books.note(what, ended_of(answer), ids, answer=str(answer.status))
        self.books.faults += [f"{what}: {fault}" for fault in faults_of(answer)]
        return answer


@dataclass(slots=True)
class Load:
    """All that is sent in one run, by lanes side by side; within a lane one call after the other.

    Attributes:
        keys: of the `Idempotency-Key` headers; a run's own.
    """

    admin: Api
    books: Books
    pace: Pace
    keys: str
    chance: Random
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _names: Iterator[int] = field(default_factory=count)

    async def run(self) -> None:
        """Send until `stopping`; calls that are under way are finished."""
        async with asyncio.TaskGroup() as lanes:
            for _ in range(LANES):
                lanes.create_task(self._lane())

    async def _lane(self) -> None:
        while not self.stopping.is_set():
            numbers = await asyncio.gather(*(self._create() for _ in range(WIDTH)))
            lives = [eventful_life(number) for number in numbers if number is not None]
            if not lives:
                continue
            side_by_side = list(chain.from_iterable(zip(*lives, strict=True)))
            for events in chunks(side_by_side, BATCH):
                await self.pace.take(len(events))
                await self._until_accepted(events)
            await self._send_what_is_refused(lives[0])

    async def _create(self) -> str | None:
        """Register a shipment, however often it takes; None if the end comes first."""
        key = f"{self.keys}-{next(self._names)}"
        number = derive_tracking_number(USER, key, 0)
        await self.pace.take(1)
        while not self.stopping.is_set():
            ended = await self._call(
                "/shipments", shipment_body(), [creation_event_id(number)], {"Idempotency-Key": key}
            )
            if ended is Ended.OK:
                return str(number)
            await asyncio.sleep(_AGAIN_S)
        return None

    async def _until_accepted(self, events: Sequence[Json]) -> None:
        """Send events as a batch, now and then one by one, and of those some that wait for their outcome."""
        if self.chance.random() < 0.9:
            await self._repeat("/events/batch", {"events": events}, events, {})
            return
        for event in events[:10]:
            prefer = {"Prefer": "wait=2"} if self.chance.random() < 0.3 else {}
            await self._repeat("/events", event, [event], prefer)
        if rest := events[10:]:
            await self._repeat("/events/batch", {"events": rest}, rest, {})

    async def _repeat(self, path: str, body: Json, events: Sequence[Json], headers: dict[str, str]) -> None:
        ids = [id_of(event) for event in events]
        while await self._call(path, body, ids, headers) is not Ended.OK:
            if self.stopping.is_set():
                return
            await asyncio.sleep(_AGAIN_S)

    async def _send_what_is_refused(self, life: Sequence[Json]) -> None:
        """One bad event in a batch: none of it may be found in the log."""
        number = life[0]["tracking_number"]
        good = [event_body(number, "picked_up", source="refused") for _ in range(3)]
        bad = event_body(number, "teleported", source="refused")
        await self._call("/events/batch", {"events": [*good, bad]}, [id_of(event) for event in good], {})

    async def _call(self, path: str, body: Json, ids: Sequence[str], headers: dict[str, str]) -> Ended:
        answer = await Caller(self.admin, self.books, PATIENCE_S).post(path, body, ids, headers)
        return Ended.UNKNOWN if answer is None else ended_of(answer)


def ended_of(answer: Answer) -> Ended:
    """Say whether the events of a call are in the log."""
    if answer.status < 300 or (answer.status in _JUDGED and "Preference-Applied" in answer.headers):
        return Ended.OK
    return Ended.FAILED if answer.status < 500 else Ended.UNKNOWN


def faults_of(answer: Answer) -> list[str]:
    """Say what is wrong with an answer: a 503 says when to come again, a 500 is always a bug."""
    if answer.status >= 500 and answer.status != 503:
        return [f"answered {answer.status}: {answer.text[:200]}"]
    if answer.status == 503 and "Retry-After" not in answer.headers:
        return ["503 without Retry-After"]
    return []


def id_of(event: Json) -> str:
    """Return the id that an event to report has."""
    number = TrackingNumber(event["tracking_number"])
    return event_id(number, parse_timestamp(event["timestamp"]), event["source"])
