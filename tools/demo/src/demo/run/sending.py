"""Sending the scans: in ordered lanes, so that no shipment's scans can overtake each other."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final
from zlib import crc32

from demo.dataset.model import Numbers, scan_id
from demo.dataset.records import DataSet
from demo.errors import Refused
from demo.ledger import Ledger
from demo.progress import Advance
from demo.run.api import Accepted, Api
from demo.run.watching import counted
from demo.run.workers import for_each
from domain.shipments.event_identity import EventId

LANES: Final = 4
BATCH_SIZE: Final = 100
_TAIL = 20
_TAIL_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One delivery of an event; `nth` is 1 for its first one in this run."""

    event_id: EventId
    body: Mapping[str, object]
    nth: int


Batch = list[Dispatch]


@dataclass(slots=True)
class Traffic:
    """Measurements taken while sending.

    Attributes:
        resent: how often an event was sent in a request without a response; the stack may or may not
            have counted those deliveries.
        took_s: from the first request to the last outcome, as seen from outside.
    """

    accepted: int = 0
    accept_s: list[float] = field(default_factory=list)
    visible_s: list[float] = field(default_factory=list)
    resent: Counter[EventId] = field(default_factory=Counter)
    took_s: float = 0.0


def lanes_of(
    data: DataSet, numbers: Numbers, *, lanes: int = LANES, batch_size: int = BATCH_SIZE
) -> list[list[Batch]]:
    """Share the scans out: all of one shipment in one lane, each lane in the order of the day."""
    dispatches: list[list[Dispatch]] = [[] for _ in range(lanes)]
    seen: Counter[EventId] = Counter()
    for scan in data.scans:
        event_id = scan_id(scan, numbers)
        seen[event_id] += 1
        lane = crc32(scan.of.encode()) % lanes
        dispatches[lane].append(Dispatch(event_id, scan.body(numbers[scan.of]), seen[event_id]))
    return [list(_batches(lane, batch_size)) for lane in dispatches]


def _batches(lane: Iterable[Dispatch], size: int) -> Iterator[Batch]:
    """Cut a lane into batches, none of which contradicts itself: the API would reject it."""
    batch: Batch = []
    bodies: dict[EventId, Mapping[str, object]] = {}
    for dispatch in lane:
        if len(batch) == size or bodies.get(dispatch.event_id, dispatch.body) != dispatch.body:
            yield batch
            batch, bodies = [], {}
        batch.append(dispatch)
        bodies[dispatch.event_id] = dispatch.body
    if batch:
        yield batch


@dataclass(slots=True)
class Sender:
    """Sender of the lanes, which polls one event of each batch until its outcome is visible.

    Attributes:
        before: the ledger before the run.
        patience_s: how long to watch one event.
    """

    api: Api
    before: Ledger
    advance: Advance
    patience_s: float
    traffic: Traffic = field(default_factory=Traffic)

    async def send(self, lanes: list[list[Batch]]) -> Traffic:
        """Send all lanes, each one batch after the other, until the last batches have their outcomes.

        Raises:
            Refused: the stack rejected an event, or gave it another id than the rule of identity.
        """
        started = perf_counter()
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in lanes:
                    tasks.create_task(self._send_lane(lane, tasks))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        self.traffic.took_s = perf_counter() - started
        return self.traffic

    async def _send_lane(self, lane: list[Batch], tasks: asyncio.TaskGroup) -> None:
        for batch in lane:
            accepted = await self.api.report([dispatch.body for dispatch in batch])
            self._note(batch, accepted)
            tasks.create_task(self._probe(batch[len(batch) // 2], perf_counter()))
        # A partition keeps its order: once so many from the end of every lane are through, all are. Asking
        # for more would slow down what is measured.
        await for_each(lane[-1][-_TAIL:] if lane else [], self._outcome_of, at_once=_TAIL_AT_ONCE)

    def _note(self, batch: Batch, accepted: Accepted) -> None:
        if accepted.event_ids != [dispatch.event_id for dispatch in batch]:
            raise Refused("the stack gives events other ids than the rule of identity (ADR 0003)")
        self.traffic.accepted += len(batch)
        self.traffic.accept_s.append(accepted.took_s)
        for dispatch in batch:
            self.traffic.resent[dispatch.event_id] += accepted.unsure
        self.advance(len(batch))

    async def _probe(self, dispatch: Dispatch, accepted_at: float) -> None:
        if await self._outcome_of(dispatch):
            self.traffic.visible_s.append(perf_counter() - accepted_at)

    async def _outcome_of(self, dispatch: Dispatch) -> bool:
        earlier = self.before.events.get(dispatch.event_id)
        goal = dispatch.nth + (earlier.deliveries if earlier else 0)
        state = await counted(self.api, dispatch.event_id, goal, patience_s=self.patience_s)
        return state is not None and state.deliveries >= goal
