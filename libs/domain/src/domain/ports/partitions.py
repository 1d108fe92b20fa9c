"""Ports of partitions: the state that owners record, and how operators resume and quarantine.

Every call may raise `StoreUnavailable`.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from domain.ports.core import Fence
from domain.processing.halts import Attempt, Halt, PartitionView, Quarantined, QuarantinePut, Resumption
from domain.shipments.tracking_number import TrackingNumber


class PartitionStateStore(Protocol):
    """The state of a partition that its owner records beside the fence, for the next owner."""

    async def note_halt(self, fence: Fence, halt: Halt | None) -> None:
        """Record that the partition is halted; None: not any more.

        Raises:
            Fenced: another owner has the partition.
        """

    async def give_up(self, fence: Fence, below: int) -> Fence:
        """Move the fence to the offset that `domain.processing.halts.accepted` returns for its halt.

        Raises:
            Fenced: another owner has the partition.
        """

    async def note_attempt(self, fence: Fence, attempt: Attempt | None) -> None:
        """Record which record is being handled, durable before it returns; None: none is.

        Raises:
            Fenced: another owner has the partition.
        """

    async def note_end(self, fence: Fence) -> None:
        """Record that the partition is applied, and published, up to its end marker: nothing follows.

        Raises:
            Fenced: another owner has the partition.
        """

    async def ended(self, partitions: Collection[str]) -> set[str]:
        """Return those of some partitions, `topic/number`, whose end is recorded."""

    async def resumption(self, partition: str, halt: Halt) -> Resumption | None:
        """Return an operator's request to resume the partition after `halt`, if there is one."""


class PartitionControl(Protocol):
    """The operators' view of partitions, and their requests to resume halted ones."""

    async def partitions(self) -> list[PartitionView]:
        """Return the partitions of the log that have ever been owned, by topic and number."""

    async def partition(self, number: int) -> PartitionView | None:
        """Return one that has not ended, or None; of several topics the first halted one, else the last."""

    async def resume(self, partition: str, resumption: Resumption) -> None:
        """Leave a request for the owner of the partition, `topic/number`, replacing an earlier one.

        It is recorded with its operator action: both or neither.
        """


class QuarantineStore(Protocol):
    """The store of quarantined shipments.

    Each change is recorded with its operator action: both or neither.
    """

    async def put(self, entry: Quarantined, *, most: int, standing: bool | None = None) -> QuarantinePut:
        """Quarantine a shipment, or replace the reason.

        Args:
            entry: the new entry.
            most: how many others may be quarantined.
            standing: whether it must be quarantined already; None: either way.

        Returns:
            The result; only `DONE` has changed anything.
        """

    async def remove(self, tracking_number: TrackingNumber, *, by: str, at: datetime) -> bool:
        """Release a shipment; False, and nothing changes, if it was not quarantined."""

    async def entries(self) -> list[Quarantined]:
        """Return all of them, by number."""
