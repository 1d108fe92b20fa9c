"""A batch of one partition on its way through a cycle."""

from dataclasses import dataclass, field

from domain.processing.batch import ConsumedCommand, Plan
from processor.use_cases.partition_fence import PartitionFence
from processor.use_cases.shipment_cache import ShipmentCache


@dataclass(slots=True, eq=False)
class PartitionBatch:
    """Consumed commands of one partition, and in the end the plan that was made of them.

    Attributes:
        fence: of the partition; the plan is written under it.
        cache: of the partition's shipments.
        commands: in the order of the log.
        next_offset: where the fence moves to; where it stands already, it stays.
        plan: what is written, then published.
    """

    fence: PartitionFence
    cache: ShipmentCache
    commands: list[ConsumedCommand]
    next_offset: int
    plan: Plan = field(init=False)

    def begin_plan(self) -> None:
        """Begin with an empty plan, as before the batch was judged."""
        self.plan = Plan(max(self.next_offset, self.fence.next_offset))

    @property
    def has_writes(self) -> bool:
        """False if all of it has been applied before."""
        return bool(self.plan.events) or self.plan.next_offset != self.fence.next_offset
