"""The world that outlives every process: the log, the stores, Redis, the derived topics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from prometheus_client import CollectorRegistry

from domain.ports.core import Document, DuplicateFilter, ShipmentStore
from domain.ports.dead_letters import DeadLetterIndex
from domain.ports.partitions import PartitionStateStore, QuarantineStore
from domain.processing.dead_letter import RecordPosition, dead_letter_id
from domain.shipments.commands import Command
from messaging.dead_letters.records import PREFIX, REPLAY_OF, REPLAYED_BY, KafkaDeadLetters
from messaging.producer.change_feed import KafkaChangeFeed
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.topics import Topics
from processor.metrics import ProcessorMetrics
from processor.use_cases.ports import Ports
from processor.use_cases.quarantine import Quarantine
from tests.support.fakes import (
    Documents,
    FixedClock,
    InMemoryDeadLetterIndex,
    InMemoryDuplicateFilter,
    InMemoryPartitionStateStore,
    InMemoryQuarantineStore,
    InMemoryReplies,
    InMemoryShipmentStore,
)
from tests.support.history import HOLD
from tests.support.machine.faulty_ports import ProcessFaults, with_faults
from tests.support.observed import (
    Observed,
    ObservedDeadLetter,
    PublishedMessage,
    dead_letter_in,
    logged,
    message_in,
)
from tests.support.records import TOPIC, LogRecord, RecordingProducer, record_of

PARTITION: Final = f"{TOPIC}/0"
TOPICS: Final = Topics()


@dataclass(frozen=True, slots=True)
class StorePorts:
    """Store ports of one process."""

    store: ShipmentStore
    partition_state: PartitionStateStore
    quarantine: QuarantineStore
    index: DeadLetterIndex


class Stores(Protocol):
    """The stores of documents."""

    def for_process(self, faults: ProcessFaults) -> StorePorts:
        """Return adapters for one process; the inside of a call may have faults too."""

    async def next_offset(self) -> int:
        """Return the position of the partition's fence."""

    async def documents(self) -> tuple[Mapping[str, Document], Mapping[str, Document]]:
        """Return the shipments and the events, by id."""


class Hints(Protocol):
    """The memory of the duplicate filter."""

    def filter(self) -> DuplicateFilter:
        """Return the filter of one process."""

    async def forget(self) -> None:
        """Drop all members."""


class InMemoryStores:
    """Everything in memory."""

    def __init__(self) -> None:
        self._documents = Documents()

    def for_process(self, faults: ProcessFaults) -> StorePorts:  # noqa: ARG002  # nothing inside
        return StorePorts(
            InMemoryShipmentStore(self._documents),
            InMemoryPartitionStateStore(self._documents),
            InMemoryQuarantineStore(self._documents),
            InMemoryDeadLetterIndex(self._documents),
        )

    async def next_offset(self) -> int:
        fence = self._documents.fences.get(PARTITION)
        return 0 if fence is None else fence.next_offset

    async def documents(self) -> tuple[Mapping[str, Document], Mapping[str, Document]]:
        shipments, events = self._documents.shipments, self._documents.events
        return {str(each): it for each, it in shipments.items()}, {
            str(each): it for each, it in events.items()
        }


class InMemoryHints:
    """One set for all processes."""

    def __init__(self) -> None:
        self._filter = InMemoryDuplicateFilter()

    def filter(self) -> DuplicateFilter:
        return self._filter

    async def forget(self) -> None:
        self._filter.forget()


class _ReachableFilter:
    """The filter, while Redis is reachable."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._filter = world.hints.filter()

    async def seen(self, members: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[bool]]:
        if not self._world.redis_is_up:
            return {partition: [False] * len(each) for partition, each in members.items()}
        return await self._filter.seen(members)

    async def mark(self, members: Mapping[str, Sequence[str]]) -> None:
        if self._world.redis_is_up:
            await self._filter.mark(members)


@dataclass
class World:
    """One partition's log, and everything around it.

    Attributes:
        crashing_offsets: offsets of records that can be read, but break the code.
    """

    stores: Stores = field(default_factory=InMemoryStores)
    hints: Hints = field(default_factory=InMemoryHints)
    redis_is_up: bool = True
    log: list[LogRecord] = field(default_factory=list)
    crashing_offsets: set[int] = field(default_factory=set)
    replies: InMemoryReplies = field(default_factory=InMemoryReplies)
    producer: RecordingProducer = field(default_factory=RecordingProducer)
    clock: FixedClock = field(default_factory=FixedClock)

    def send(self, command: Command, *, waits: bool = False) -> int:
        """Append a command to the log, and return its offset."""
        address = f"answers:{len(self.log)}" if waits else None
        return self.append(record_of(command, 0, reply_to=address))

    def send_unreadable(self) -> None:
        """Append an unreadable record."""
        self.append(LogRecord(0, b"{"))

    def append(self, record: LogRecord) -> int:
        """Append a copy of a record, and return its offset."""
        self.log.append(replace(record, offset=len(self.log)))
        return len(self.log) - 1

    async def end_offset(self) -> int:
        """Return the end of the log."""
        return len(self.log)

    def dead_letters(self) -> list[ObservedDeadLetter]:
        """Return what the dead letters say."""
        return [dead_letter_in(record) for record in self._dead_letter_records()]

    def published(self) -> dict[str, list[PublishedMessage]]:
        """Return what the derived topics say."""
        names = (TOPICS.changes, TOPICS.created, TOPICS.delivered, TOPICS.location)
        return {name: [message_in(each) for each in self.producer.topics.get(name, [])] for name in names}

    def replay(self, index: int) -> None:
        """Append a dead letter to the log, as it was before it died."""
        index %= len(self._dead_letter_records())
        dead_letter = self._dead_letter_records()[index]
        kept = [(name, value) for name, value in dead_letter.headers if not name.startswith(PREFIX)]
        said = [(REPLAY_OF, dead_letter_id(RecordPosition(0, index)).encode()), (REPLAYED_BY, b"admin_user")]
        self.append(LogRecord(0, dead_letter.value, dead_letter.key, [*kept, *said]))

    def ports(self, faults: ProcessFaults) -> Ports:
        """Return the ports of one process."""
        stores = self.stores.for_process(faults)
        ports = Ports(
            store=stores.store,
            partition_state=stores.partition_state,
            quarantine=Quarantine(faults.guarded(stores.quarantine)),
            duplicates=_ReachableFilter(self),
            feed=KafkaChangeFeed(self.producer, TOPICS),
            replies=self.replies,
            dead_letters=KafkaDeadLetters(self.producer, TOPICS),
            index=stores.index,
            clock=self.clock,
            metrics=ProcessorMetrics(CollectorRegistry()),
            hold=HOLD,
        )
        return with_faults(ports, faults, self.crashing_offsets)

    async def observed(self) -> Observed:
        """Return what stands in the stores now, and the part of the log that the fence says is applied.

        The fence moves last: what lies beyond may have died already.
        """
        applied = await self.stores.next_offset()
        shipments, events = await self.stores.documents()
        return Observed(
            log=[logged(record) for record in self.log[:applied]],
            shipments=shipments,
            events={
                each: event
                for each, event in events.items()
                if event["outcome"] != "dead" or event["offset"] < applied
            },
            dead_letters=[
                dead_letter for dead_letter in self.dead_letters() if dead_letter.place[1] < applied
            ],
        )

    async def observed_to_the_end(self) -> Observed:
        """Return what stands in the stores when nothing is left to do, the whole log, and the messages."""
        shipments, events = await self.stores.documents()
        log = [logged(record) for record in self.log]
        return Observed(log, shipments, events, self.dead_letters(), self.published())

    def _dead_letter_records(self) -> Sequence[OutgoingRecord]:
        return self.producer.topics.get(TOPICS.dead_letters, [])
