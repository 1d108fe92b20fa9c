"""A handler that does what a test says, and remembers what was asked of it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain.ports.core import EndOffset, IsAnother
from domain.processing.halts import PartitionCheckpoint
from messaging.consumer.partition_worker import PartitionWorker
from messaging.consumer.slots import Slots
from messaging.consumer.worker_states import State
from messaging.dead_letters.records import DeadLetter, Record
from tests.support.builders import MemoryPosition
from tests.support.notebook import MemoryNotebook
from tests.support.records import LogRecord


@dataclass
class ScriptedHandler(MemoryNotebook):
    """Applies records, unless it is told otherwise.

    Attributes:
        troubles: raised by the next calls of `handle`, one each.
        breaking: raised whenever a record with this offset is in the batch.
        breaking_once: the same, but only the first time.
        open_troubles: raised by the next calls of `open`, one each.
        bury_troubles: raised by the next calls of `bury`, one each.
        setting_aside: records with these offsets are not applied, but set aside.
        gate: `handle` waits until it is set.
        open_gate: `open` waits until it is set.
        opened: where the log ended at each call of `open`.
        others: whether it was another one then.
        calls: the offsets of each call, failed ones too.
        applied: the offsets of each call that went well.
    """

    troubles: deque[Exception] = field(default_factory=deque)
    breaking: dict[int, Exception] = field(default_factory=dict)
    breaking_once: dict[int, Exception] = field(default_factory=dict)
    open_troubles: deque[Exception] = field(default_factory=deque)
    bury_troubles: deque[Exception] = field(default_factory=deque)
    setting_aside: set[int] = field(default_factory=set)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    open_gate: asyncio.Event = field(default_factory=asyncio.Event)
    opened: list[int] = field(default_factory=list)
    others: list[bool] = field(default_factory=list)
    calls: list[list[int]] = field(default_factory=list)
    applied: list[list[int]] = field(default_factory=list)
    buried: list[DeadLetter] = field(default_factory=list)

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
        if self.open_troubles:
            raise self.open_troubles.popleft()
        return self.inherited(self.opened[-1])

    async def handle(self, records: Sequence[Record]) -> bool:
        offsets = [record.offset for record in records]
        self.calls.append(offsets)
        await self.gate.wait()
        if self.troubles:
            raise self.troubles.popleft()
        for offset in offsets:
            if offset in self.breaking:
                raise self.breaking[offset]
            if offset in self.breaking_once:
                raise self.breaking_once.pop(offset)
        self.applied.append(offsets)
        self.passed(records)
        return not self.setting_aside.issuperset(offsets)

    async def bury(self, letter: DeadLetter) -> None:
        if self.bury_troubles:
            raise self.bury_troubles.popleft()
        self.buried.append(letter)
        self.passed([letter.record])


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


def standing(worker: PartitionWorker) -> tuple[State, str | None]:
    """Return how a worker is, and why."""
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
