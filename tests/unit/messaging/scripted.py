"""A scripted handler that records its calls."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain.ports.core import EndOffset, IsAnother
from domain.processing.halts import PartitionCheckpoint
from messaging.consumer.partition.partition_worker import PartitionWorker
from messaging.consumer.partition.slots import Slots
from messaging.consumer.worker.worker_states import State
from messaging.dead_letters.records import DeadLetter, Record
from tests.support.builders import MemoryPosition
from tests.support.partition_state import MemoryPartitionState
from tests.support.records import LogRecord


@dataclass
class ScriptedHandler(MemoryPartitionState):
    """A handler that applies records, unless scripted otherwise.

    Attributes:
        errors: raised by the next calls of `handle`, one each.
        breaking: raised whenever a record with this offset is in the batch.
        breaking_once: the same, but only the first time.
        open_errors: raised by the next calls of `open`, one each.
        dead_letter_errors: raised by the next calls of `dead_letter`, one each.
        quarantined: records with these offsets are quarantined, not applied.
        gate: `handle` waits until it is set.
        open_gate: `open` waits until it is set.
        opened: where the log ended at each call of `open`.
        others: whether it was another one then.
        calls: the offsets of each call, failed ones too.
        applied: the offsets of each call that went well.
    """

    errors: deque[Exception] = field(default_factory=deque)
    breaking: dict[int, Exception] = field(default_factory=dict)
    breaking_once: dict[int, Exception] = field(default_factory=dict)
    open_errors: deque[Exception] = field(default_factory=deque)
    dead_letter_errors: deque[Exception] = field(default_factory=deque)
    quarantined: set[int] = field(default_factory=set)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    open_gate: asyncio.Event = field(default_factory=asyncio.Event)
    opened: list[int] = field(default_factory=list)
    others: list[bool] = field(default_factory=list)
    calls: list[list[int]] = field(default_factory=list)
    applied: list[list[int]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()
        self.open_gate.set()

    @property
    def offsets(self) -> list[int]:
        """All applied offsets, in order."""
        return [offset for batch in self.applied for offset in batch]

    async def open(
        self,
        end_offset: EndOffset,
        is_another: IsAnother | None = None,
    ) -> PartitionCheckpoint:
        self.opened.append(await end_offset())
        self.others.append(is_another is None or await is_another())
        await self.open_gate.wait()
        if self.open_errors:
            raise self.open_errors.popleft()
        return self.checkpoint(self.opened[-1])

    async def handle(self, records: Sequence[Record]) -> bool:
        offsets = [record.offset for record in records]
        self.calls.append(offsets)
        await self.gate.wait()
        if self.errors:
            raise self.errors.popleft()
        for offset in offsets:
            if offset in self.breaking:
                raise self.breaking[offset]
            if offset in self.breaking_once:
                raise self.breaking_once.pop(offset)
        self.applied.append(offsets)
        self.passed(records)
        return not self.quarantined.issuperset(offsets)

    async def dead_letter(self, dead_letter: DeadLetter) -> None:
        if self.dead_letter_errors:
            raise self.dead_letter_errors.popleft()
        self.dead_letters.append(dead_letter)
        self.passed([dead_letter.record])


def worker_of(
    handler: ScriptedHandler,
    *,
    max_batch: int = 8,
    slots: Slots | None = None,
    alone: asyncio.Lock | None = None,
) -> PartitionWorker:
    """Return a worker of one partition with `handler`."""
    return PartitionWorker(
        "topic/0",
        handler,
        max_batch=max_batch,
        slots=slots or Slots(1, large_batch=1),
        alone=alone or asyncio.Lock(),
    )


def status_of(worker: PartitionWorker) -> tuple[State, str | None]:
    """Return the state of a worker, and its problem."""
    return worker.state, worker.problem


def log_records(first: int, stop: int) -> list[LogRecord]:
    """Return records with these offsets."""
    return [LogRecord(offset) for offset in range(first, stop)]


@asynccontextmanager
async def working(
    worker: PartitionWorker, *, end_offset: int = 100, position: MemoryPosition | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """Run a worker while the context lasts, on a log that ends there, or is read at `position`."""
    task = asyncio.create_task(worker.run(position or MemoryPosition(end_offset)))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
