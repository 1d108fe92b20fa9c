"""What the loop asks of whoever knows what the records of a partition are about."""

from collections.abc import Sequence
from typing import Protocol

from domain.ports.core import EndOffset, IsAnother
from domain.processing.halts import Attempt, Halt, PartitionCheckpoint, Start
from messaging.dead_letters.records import DeadLetter, Record


class PartitionState(Protocol):
    """What is durable of a partition beside its records. May raise `TransientError` and `Fenced`."""

    async def stop(self, problem: str, *, is_gap: bool, skip_to: int | None = None) -> Halt:
        """Note that the partition stands still, for every owner.

        Args:
            problem: why.
            is_gap: records are gone unread.
            skip_to: the offset behind what stopped it.
        """

    async def told(self, halt: Halt) -> Start | None:
        """Return from where an operator wants the partition to go on after `halt`; None: not yet."""

    async def clear_halt(self, *, lost_below: int | None = None) -> None:
        """Forget that it stood still; what is not applied below `lost_below` is given up."""

    async def attempt(self, attempt: Attempt | None) -> None:
        """Note which record is in hand; None: none is."""


class LogPosition(Protocol):
    """Where a partition's records are read."""

    async def end_offset(self) -> int:
        """Ask where the log ends; may raise `TransientError`."""

    async def next_offset(self) -> int:
        """Return which offset is fetched next, as soon as that is known."""

    def seek(self, offset: int) -> None:
        """Fetch from there."""


class PartitionHandler(PartitionState, Protocol):
    """What is done with the records of one partition, from its assignment to its end."""

    async def open(self, end_offset: EndOffset, is_another: IsAnother | None = None) -> PartitionCheckpoint:
        """Take the partition over; called until it succeeds, before any record is handled.

        Args:
            end_offset: asks where the log ends; may raise `TransientError`.
            is_another: asks whether a log that ends before what is applied is another one; None: it is.
        """

    async def handle(self, records: Sequence[Record]) -> bool:
        """Apply records, given in offset order; on return all effects are durable and may be committed.

        Called again with the same records, or a part of them, after it raised.

        Returns:
            Whether any was applied; False if all of them were set aside.
        """

    async def bury(self, letter: DeadLetter) -> None:
        """Keep a record that will not be tried again; on return it is durable."""
