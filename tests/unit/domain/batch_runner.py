"""A processor as small as can be, over a store and a filter in memory; it may be struck anywhere."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import Enum, auto

import pytest

from domain.errors import CommitUnknown, Fenced, StaleKnowledge
from domain.ports.core import Fence
from domain.processing.batch import ConsumedCommand, EventRecord, Plan, by_shipment
from domain.processing.judging import judge
from domain.shipments.commands import Command
from domain.shipments.event_identity import EventId
from tests.support.builders import RECORDED_AT, consumed, ends_at
from tests.support.fakes import InMemoryDuplicateFilter, InMemoryShipmentStore
from tests.support.history import HOLD

PARTITION = "shipments.events/0"


class Mishap(Enum):
    """Faults while a batch is handled."""

    NONE = auto()
    CRASH_BEFORE_COMMIT = auto()
    CRASH_AFTER_COMMIT = auto()
    CRASH_AFTER_MARKING = auto()
    COMMIT_LOST = auto()
    COMMIT_ANSWER_LOST = auto()
    TAKEN_OVER = auto()
    FILTER_FORGETS = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """One batch: how many records, what strikes, and how far back reading starts after a crash."""

    size: int
    mishap: Mishap = Mishap.NONE
    rewind: int = 0


@dataclass
class BatchRunner:
    """Works through `log`: `position` is what is read next, `fence.next_offset` what has been committed."""

    log: Sequence[Command]
    store: InMemoryShipmentStore = field(default_factory=InMemoryShipmentStore)
    filter: InMemoryDuplicateFilter = field(default_factory=InMemoryDuplicateFilter)
    fence: Fence = field(init=False)
    position: int = 0

    async def run(self, steps: Sequence[Step]) -> None:
        """Take the steps, then whatever is left in one."""
        self.fence = await self.store.acquire(PARTITION, owner="test", end_offset=ends_at(len(self.log)))
        for step in (*steps, Step(len(self.log))):
            if self.position < len(self.log):
                await self._work(step)

    async def _work(self, step: Step) -> None:
        batch = range(self.position, min(self.position + step.size, len(self.log)))
        plan = await self._plan(batch)
        self._strike(step.mishap)
        if step.mishap in {Mishap.CRASH_BEFORE_COMMIT, Mishap.TAKEN_OVER}:
            await self._restart(step.rewind)
        if step.mishap is Mishap.TAKEN_OVER:
            await self._write_as_the_owner_before(plan)
        if step.mishap in {Mishap.CRASH_BEFORE_COMMIT, Mishap.TAKEN_OVER}:
            return
        plan = await self._commit(batch, plan)
        if step.mishap is not Mishap.CRASH_AFTER_COMMIT:
            await self._mark(plan)
        if step.mishap in {Mishap.CRASH_AFTER_COMMIT, Mishap.CRASH_AFTER_MARKING}:
            await self._restart(step.rewind)
        else:
            self.position = batch.stop

    def _strike(self, mishap: Mishap) -> None:
        if mishap is Mishap.COMMIT_LOST:
            self.store.fail_next("commit", CommitUnknown("lost"))
        elif mishap is Mishap.COMMIT_ANSWER_LOST:
            self.store.fail_next("commit", CommitUnknown("went through"), after=True)
        elif mishap is Mishap.FILTER_FORGETS:
            self.filter.forget()

    async def _restart(self, rewind: int) -> None:
        """Read on from some offset that was committed to Kafka: never above what the store has seen."""
        self.fence = await self.store.acquire(PARTITION, owner="test", end_offset=ends_at(len(self.log)))
        self.position = max(0, self.fence.next_offset - rewind)

    async def _write_as_the_owner_before(self, plan: Plan) -> None:
        before = replace(self.fence, epoch=self.fence.epoch - 1)
        with pytest.raises(Fenced):
            await self.store.commit([(before, plan)], recorded_at=RECORDED_AT)

    async def _commit(self, batch: range, plan: Plan) -> Plan:
        looked_up: set[EventId] = set()
        while True:
            try:
                [self.fence] = await self.store.commit([(self.fence, plan)], recorded_at=RECORDED_AT)
            except StaleKnowledge:
                looked_up |= {change.event_id for change in plan.events if change.is_new}
            except CommitUnknown:
                self.fence = await self.store.refresh(self.fence)
            else:
                return plan
            plan = await self._plan(batch, looked_up)

    async def _plan(self, batch: range, looked_up: AbstractSet[EventId] = frozenset()) -> Plan:
        """Judge a batch, looking up what may have been counted before and what `judge` asks for."""
        records = await self._deliveries(batch)
        unknown = looked_up | {each.command.event_id for each in records if each.redelivered}
        known: dict[EventId, EventRecord | None] = {}
        groups = by_shipment(records)
        shipments = await self.store.load(groups)
        histories = await self.store.load_histories({number: len(group) for number, group in groups.items()})
        for _ in range(2):
            known |= await self.store.find_events(unknown)
            plan = Plan(next_offset=max(self.fence.next_offset, batch.stop))
            unknown = set()
            for tracking_number, group in groups.items():
                verdicts = judge(
                    group, shipments.get(tracking_number), known, histories.get(tracking_number, ())
                )
                plan.add(tracking_number, verdicts)
                unknown |= set(verdicts.unknown)
            if not unknown:
                return plan
        raise AssertionError(f"still unknown after they were looked up: {unknown}")

    async def _deliveries(self, batch: range) -> list[ConsumedCommand]:
        records = [consumed(self.log[offset], offset, hold=HOLD) for offset in batch]
        seen = await self.filter.seen({PARTITION: [_member(record) for record in records]})
        return [
            replace(record, redelivered=record.offset < self.fence.next_offset, known_duplicate=known)
            for record, known in zip(records, seen[PARTITION], strict=True)
        ]

    async def _mark(self, plan: Plan) -> None:
        applied = [_member(verdict.consumed) for verdict in plan.verdicts if verdict.is_published]
        await self.filter.mark({PARTITION: applied})


def _member(record: ConsumedCommand) -> str:
    return f"{record.command.event_id}:{record.fingerprint}"
