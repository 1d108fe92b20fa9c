"""Consumer loops on a real Kafka whose handlers write a journal."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from domain.ports.core import EndOffset, IsAnother
from domain.processing.halts import Halt, PartitionCheckpoint
from messaging.consumer.consumer_settings import RuntimeSettings
from messaging.consumer.runtime import PartitionRuntime
from messaging.dead_letters.records import DeadLetter, Record
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from tests.support.partition_state import MemoryPartitionState
from tests.support.topics import committed_offsets, is_caught_up, write_values
from tests.support.waiting import wait_for


@dataclass
class Journal:
    """A journal of all handlers of a test: handled offsets by partition, and the owner of each open.

    Attributes:
        errors: raised by `handle` of a partition, while they are set.
        halts: the halt that the next handler of a partition finds.
        handlers: the last one of each partition.
        gates: `handle` of a partition waits for its gate, if there is one.
    """

    offsets: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    opened: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[int, Exception] = field(default_factory=dict)
    gates: dict[int, asyncio.Event] = field(default_factory=dict)
    halts: dict[int, Halt] = field(default_factory=dict)
    handlers: dict[int, "JournalHandler"] = field(default_factory=dict)
    begun: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def count(self) -> int:
        """Number of handled records."""
        return sum(len(offsets) for offsets in self.offsets.values())


class JournalHandler(MemoryPartitionState):
    """A `PartitionHandler` that writes into the journal."""

    def __init__(self, journal: Journal, partition: int, owner: str) -> None:
        applied = max(journal.offsets[partition], default=-1) + 1
        super().__init__(halt=journal.halts.pop(partition, None), next_offset=applied)
        journal.handlers[partition] = self
        self._journal = journal
        self._partition = partition
        self._owner = owner

    async def open(
        self,
        end_offset: EndOffset,
        is_another: IsAnother | None = None,
    ) -> PartitionCheckpoint:
        end = await end_offset()
        self._journal.opened[self._partition].append((self._owner, end))
        if self.next_offset > end and (is_another is None or await is_another()):
            self.next_offset = 0  # as the store does
        return self.checkpoint(end)

    async def handle(self, records: Sequence[Record]) -> bool:
        self._journal.begun[self._partition] += 1
        if gate := self._journal.gates.get(self._partition):
            await gate.wait()
        if trouble := self._journal.errors.get(self._partition):
            raise trouble
        self._journal.offsets[self._partition] += [record.offset for record in records]
        self.passed(records)
        return True

    async def dead_letter(self, dead_letter: DeadLetter) -> None:
        raise AssertionError(f"nothing is to be dead-lettered here: {dead_letter}")


@dataclass
class Group:
    """A consumer group of its own on the topic of events."""

    kafka: KafkaSettings
    journal: Journal = field(default_factory=Journal)
    name: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex}")
    seat: str | None = None

    @property
    def topic(self) -> str:
        """The topic that is consumed."""
        return Topics(self.kafka.topic_prefix).events

    def runtime(
        self,
        instance: str = "a",
        *,
        brokers: str | None = None,
        drain_s: float = 5.0,
        stalled_after_s: float = 60.0,
    ) -> PartitionRuntime:
        """Build a loop."""

        def handler_of(partition: TopicPartition) -> JournalHandler:
            return JournalHandler(self.journal, partition.partition, instance)

        return PartitionRuntime(
            RuntimeSettings(
                kafka=self.kafka.model_copy(update={"brokers": brokers}) if brokers else self.kafka,
                topic=self.topic,
                group=self.name,
                instance=instance,
                group_instance=self.seat,
                max_batch=20,
                commit_every_s=0.1,
                session_timeout_s=6.0,
                drain_s=drain_s,
                stalled_after_s=stalled_after_s,
            ),
            handler_of,
        )

    async def write(self, count: int, partition: int) -> None:
        """Append records to a partition."""
        await write_values(
            self.kafka, self.topic, [(b"key", b"%d" % each) for each in range(count)], partition
        )

    async def all_committed(self) -> None:
        """Wait until the group has committed all there is."""
        await wait_for(
            lambda: is_caught_up(self.kafka, self.name, self.topic), timeout_s=20, what="all of it committed"
        )

    async def committed(self) -> dict[int, int]:
        """Return what the group has committed."""
        return await committed_offsets(self.kafka, self.name, self.topic)


@asynccontextmanager
async def running(runtime: PartitionRuntime) -> AsyncIterator[asyncio.Task[None]]:
    """Run a loop while the context lasts, then stop it as SIGTERM does."""
    task = asyncio.create_task(runtime.run())
    try:
        yield task
    finally:
        runtime.stop()
        await task
