"""Ports of the line: what a partition's owner notes of it, and how operators stop, resume and set aside.

Every call may raise `StoreUnavailable`.
"""

from datetime import datetime
from typing import Protocol

from domain.ports.core import Fence
from domain.processing.halts import Attempt, Halt, PartitionView, Quarantined, QuarantinePut, Resumption
from domain.shipments.tracking_number import TrackingNumber


class PartitionStateStore(Protocol):
    """What an owner notes of its partition beside the fence, for whoever owns it next."""

    async def note_halt(self, fence: Fence, halt: Halt | None) -> None:
        """Note that the partition stands still; None: not any more.

        Raises:
            Fenced: another owner has the partition.
        """

    async def give_up(self, fence: Fence, below: int) -> Fence:
        """Move the fence to where `domain.processing.halts.accepted` says, of the halt that it has inherited.

        Raises:
            Fenced: another owner has the partition.
        """

    async def note_attempt(self, fence: Fence, attempt: Attempt | None) -> None:
        """Note which record is in hand, durable before it returns; None: none is.

        Raises:
            Fenced: another owner has the partition.
        """

    async def resumption(self, partition: str, halt: Halt) -> Resumption | None:
        """Return an operator's word that the partition is to go on after `halt`, if there is one."""


class PartitionControl(Protocol):
    """Where operators see partitions, and say that one that stands still is to go on."""

    async def partitions(self) -> list[PartitionView]:
        """Return the partitions that have ever been owned, by number."""

    async def partition(self, number: int) -> PartitionView | None:
        """Return one of them, or None."""

    async def resume(self, number: int, resumption: Resumption) -> None:
        """Leave word for whoever owns the partition, in the place of an earlier word.

        It is noted among what operators have done: both or neither.
        """


class QuarantineStore(Protocol):
    """Keeps which shipments are set aside.

    Each change is noted among what operators have done: both or neither.
    """

    async def put(self, entry: Quarantined, *, most: int, standing: bool | None = None) -> QuarantinePut:
        """Set a shipment aside, or say anew why.

        Args:
            entry: what is to stand.
            most: how many others may be set aside.
            standing: whether it must be set aside already; None: either way.

        Returns:
            What came of it; only where it is `DONE` has anything changed.
        """

    async def remove(self, tracking_number: TrackingNumber, *, by: str, at: datetime) -> bool:
        """End it; False, and nothing changes, if the shipment was not set aside."""

    async def entries(self) -> list[Quarantined]:
        """Return all of them, by number."""
