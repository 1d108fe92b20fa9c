"""Ports that the parts of a shipment partition are given."""

from dataclasses import dataclass, field
from datetime import timedelta

from domain.ports.core import ChangeFeed, Clock, DuplicateFilter, Replies, ShipmentStore
from domain.ports.dead_letters import DeadLetterIndex
from domain.ports.partitions import PartitionStateStore
from messaging.dead_letters.records import KafkaDeadLetters
from processor.metrics import ProcessorMetrics
from processor.use_cases.quarantine import Quarantine
from processor.use_cases.shared_cycle import SharedCycle


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Ports of one process, shared by its partitions.

    Attributes:
        hold: how long early events are held, None for not at all.
        cycle: applies the small batches of all partitions together.
    """

    store: ShipmentStore
    partition_state: PartitionStateStore
    quarantine: Quarantine
    duplicates: DuplicateFilter
    feed: ChangeFeed
    replies: Replies
    dead_letters: KafkaDeadLetters
    index: DeadLetterIndex
    clock: Clock
    metrics: ProcessorMetrics
    hold: timedelta | None = None
    cycle: SharedCycle = field(default_factory=SharedCycle)
