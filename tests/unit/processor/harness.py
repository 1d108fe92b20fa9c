"""Harness of a shipment partition with all ports in memory."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from domain.ports.core import Document
from domain.shipments.commands import Command
from domain.shipments.event_identity import EventId
from domain.shipments.shipment import Shipment
from domain.shipments.tracking_number import TrackingNumber
from messaging.dead_letters.records import KafkaDeadLetters
from messaging.topics import Topics
from processor.metrics import ProcessorMetrics
from processor.use_cases.ports import Ports
from processor.use_cases.quarantine import Quarantine
from processor.use_cases.shipment_partition import ShipmentPartition
from tests.support.builders import ends_at, log_partition
from tests.support.fakes import (
    Documents,
    FixedClock,
    InMemoryChangeFeed,
    InMemoryDeadLetterIndex,
    InMemoryDuplicateFilter,
    InMemoryPartitionStateStore,
    InMemoryQuarantineStore,
    InMemoryReplies,
    InMemoryShipmentStore,
)
from tests.support.history import HOLD
from tests.support.records import RecordingProducer, records_of

NAME = "shipments.events/0"
END = 1_000_000


class WatchedStore(InMemoryShipmentStore):
    """Store that records loaded shipments and counts calls."""

    def __init__(self, documents: Documents) -> None:
        super().__init__(documents)
        self.loaded: list[set[TrackingNumber]] = []
        self.calls: Counter[str] = Counter()

    @contextmanager
    def around(self, call: str) -> Iterator[None]:
        """Count a call."""
        self.calls[call] += 1
        with super().around(call):
            yield

    async def load(self, tracking_numbers: Collection[TrackingNumber]) -> dict[TrackingNumber, Shipment]:
        """Load shipments, and record their numbers."""
        self.loaded.append(set(tracking_numbers))
        return await super().load(tracking_numbers)


class WatchedFilter(InMemoryDuplicateFilter):
    """Filter that records its lookups."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    async def seen(self, members: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[bool]]:
        """Look members up, and record their number."""
        self.asked.append(sum(map(len, members.values())))
        return await super().seen(members)


@dataclass
class ProcessorHarness:
    """Ports of one process; all processes share `documents`."""

    documents: Documents = field(default_factory=Documents)
    filter: WatchedFilter = field(default_factory=WatchedFilter)
    feed: InMemoryChangeFeed = field(default_factory=InMemoryChangeFeed)
    replies: InMemoryReplies = field(default_factory=InMemoryReplies)
    dead_letters: RecordingProducer = field(default_factory=RecordingProducer)
    index: InMemoryDeadLetterIndex = field(init=False)
    clock: FixedClock = field(default_factory=FixedClock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.store = WatchedStore(self.documents)
        self.partition_state = InMemoryPartitionStateStore(self.documents)
        self.quarantine = InMemoryQuarantineStore(self.documents)
        self.index = InMemoryDeadLetterIndex(self.documents)
        self._ports = Ports(
            store=self.store,
            partition_state=self.partition_state,
            quarantine=Quarantine(self.quarantine),
            duplicates=self.filter,
            feed=self.feed,
            replies=self.replies,
            dead_letters=KafkaDeadLetters(self.dead_letters, Topics()),
            index=self.index,
            clock=self.clock,
            metrics=ProcessorMetrics(self.registry),
            hold=HOLD,
        )

    async def partition(self, *, cache_size: int = 100, end_offset: int = END) -> ShipmentPartition:
        """Return a partition that has been taken over."""
        partition = ShipmentPartition(
            log_partition("shipments.events", 0, partitions=1),
            self._ports,
            owner="test",
            cache_size=cache_size,
        )
        await partition.open(ends_at(end_offset))
        return partition

    async def partitions(self, count: int) -> list[ShipmentPartition]:
        """Return all partitions of a topic, taken over by one process."""
        owned = [
            ShipmentPartition(
                log_partition("shipments.events", number, partitions=count),
                self._ports,
                owner="test",
                cache_size=100,
            )
            for number in range(count)
        ]
        for each in owned:
            await each.open(ends_at(END))
        return owned

    async def applied(self, *commands: Command) -> ShipmentPartition:
        """Return a partition that has applied `commands`, from offset 0."""
        partition = await self.partition()
        await partition.handle(records_of(*commands))
        return partition

    def event(self, command: Command) -> Document:
        """Return the document of an event."""
        return self.documents.events[command.event_id]

    def statuses(self, tracking_number: TrackingNumber) -> list[str]:
        """Return the statuses in a shipment's history, first to last."""
        return [entry["status"] for entry in self.documents.shipments[tracking_number]["status_history"]]

    def published_ids(self) -> list[EventId]:
        """Return the ids of the published changes."""
        return [verdict.consumed.command.event_id for verdict in self.feed.published]

    def count(self, outcome: str, reason: str = "") -> float:
        """Return the number of records with an outcome."""
        labels = {"outcome": outcome, "reason": reason}
        return self.registry.get_sample_value("waybill_events_total", labels) or 0


def counters(event: Document) -> tuple[int, int, int]:
    """Return attempts, duplicates and conflicts of an event."""
    return event["attempts"], event["duplicates"], event["conflicts"]
