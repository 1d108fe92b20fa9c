"""Traffic for a stack under faults: event-rich lives, each call recorded, repeated until accepted."""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from random import Random
from typing import Final

import aiohttp

from domain.shipments.event_identity import creation_event_id
from domain.shipments.tracking_number import derive_tracking_number
from tests.e2e.traffic import chunks, event_body, eventful_life, shipment_body
from tests.faults.corrections import Posting, corrected_life, id_of, reported
from tests.faults.ledger import Ended, Ledger
from tests.support.api import Api, Json, Response

LANES: Final = 8
WIDTH: Final = 20
CORRECTED: Final = 2
"""Of a lane's shipments, those whose scans are corrected."""
BATCH: Final = 70
USER: Final = "admin_user"
PATIENCE_S: Final = 15.0
_AGAIN_S: Final = 0.1
_EVENT_IN_PATH: Final = re.compile(r"evt_[^/]+")
_JUDGED: Final = (404, 409)
"""Statuses of a request that waited: the event is in the log, and was judged."""


@dataclass(slots=True)
class Pace:
    """Even spacing of events over time; time lost while nothing was accepted is not caught up."""

    per_s: float
    _next_at: float = field(default_factory=time.monotonic)

    async def take(self, events: int) -> None:
        """Wait until so many events may be sent."""
        now = time.monotonic()
        self._next_at = max(self._next_at, now) + events / self.per_s
        await asyncio.sleep(self._next_at - events / self.per_s - now)


@dataclass(frozen=True, slots=True)
class Caller:
    """Client that posts, and records each call in the ledger."""

    admin: Api
    ledger: Ledger
    patience_s: float

    async def post(
        self, path: str, body: Json, ids: Sequence[str], headers: dict[str, str]
    ) -> Response | None:
        """Post the events with these ids once; None if there was no response."""
        what = f"POST {_EVENT_IN_PATH.sub('{event_id}', path)}"
        try:
            async with asyncio.timeout(self.patience_s):
                response = await self.admin.post(path, body, headers=headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.ledger.record(what, Ended.UNKNOWN, ids, response=type(error).__name__)
            return None
        self.ledger.record(what, ended_of(response), ids, response=str(response.status))
        self.ledger.faults += [f"{what}: {fault}" for fault in faults_of(response)]
        return response


@dataclass(slots=True)
class Load:
    """Load of one run, by lanes side by side; within a lane one call after the other.

    Attributes:
        keys: of the `Idempotency-Key` headers; a run's own.
    """

    admin: Api
    ledger: Ledger
    pace: Pace
    keys: str
    chance: Random
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _names: Iterator[int] = field(default_factory=count)

    async def run(self) -> None:
        """Send until `stopping`; calls in progress are finished."""
        async with asyncio.TaskGroup() as lanes:
            for _ in range(LANES):
                lanes.create_task(self._lane())

    async def _lane(self) -> None:
        while not self.stopping.is_set():
            made = await asyncio.gather(*(self._create() for _ in range(WIDTH)))
            numbers = [number for number in made if number is not None]
            if len(numbers) <= CORRECTED:
                continue
            lives = [eventful_life(number) for number in numbers[CORRECTED:]]
            side_by_side = list(chain.from_iterable(zip(*lives, strict=True)))
            for events in chunks(side_by_side, BATCH):
                await self.pace.take(len(events))
                await self._until_accepted(events)
            await self._send_what_is_refused(lives[0])
            await asyncio.gather(*(self._correct(number) for number in numbers[:CORRECTED]))

    async def _correct(self, number: str) -> None:
        """Report a life whose scans are early, and retracted."""
        for postings in corrected_life(number, self.chance):
            if self.stopping.is_set():
                return
            await self.pace.take(sum(len(each.event_ids) for each in postings))
            await asyncio.gather(*(self._repeat(each, self._prefer()) for each in postings))

    def _prefer(self) -> dict[str, str]:
        return {"Prefer": "wait=2"} if self.chance.random() < 0.3 else {}

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
        """Send events as a batch, now and then one by one, some of those waiting for their outcome."""
        if self.chance.random() < 0.9:
            await self._repeat(reported(*events), {})
            return
        for event in events[:10]:
            await self._repeat(reported(event), self._prefer())
        if rest := events[10:]:
            await self._repeat(reported(*rest), {})

    async def _repeat(self, posting: Posting, headers: dict[str, str]) -> None:
        while await self._call(*posting, headers) is not Ended.OK:
            if self.stopping.is_set():
                return
            await asyncio.sleep(_AGAIN_S)

    async def _send_what_is_refused(self, life: Sequence[Json]) -> None:
        """Send a batch with one bad event: none of it may be found in the log."""
        number = life[0]["tracking_number"]
        good = [event_body(number, "picked_up", source="refused") for _ in range(3)]
        bad = event_body(number, "teleported", source="refused")
        await self._call("/events/batch", {"events": [*good, bad]}, [id_of(event) for event in good], {})

    async def _call(self, path: str, body: Json, ids: Sequence[str], headers: dict[str, str]) -> Ended:
        response = await Caller(self.admin, self.ledger, PATIENCE_S).post(path, body, ids, headers)
        return Ended.UNKNOWN if response is None else ended_of(response)


def ended_of(response: Response) -> Ended:
    """Return whether the events of a call are in the log."""
    if response.status < 300 or (response.status in _JUDGED and "Preference-Applied" in response.headers):
        return Ended.OK
    return Ended.FAILED if response.status < 500 else Ended.UNKNOWN


def faults_of(response: Response) -> list[str]:
    """Return the faults of a response: a 503 without `Retry-After`, and any 500."""
    if response.status >= 500 and response.status != 503:
        return [f"answered {response.status}: {response.text[:200]}"]
    if response.status == 503 and "Retry-After" not in response.headers:
        return ["503 without Retry-After"]
    return []
