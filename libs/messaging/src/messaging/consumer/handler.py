"""Protocols between the consumer loop and the handler of a partition."""

from collections.abc import Sequence
from typing import Protocol

from domain.ports.core import EndOffset, IsAnother
from domain.processing.halts import Attempt, Halt, PartitionCheckpoint, Start
from messaging.dead_letters.records import DeadLetter, Record


class PartitionState(Protocol):
    """The durable state of a partition beside its records. May raise `TransientError` and `Fenced`."""

    async def stop(self, problem: str, *, is_gap: bool, skip_to: int | None = None) -> Halt:
        """Record that the partition is halted, for every owner.

        Args:
            problem: why.
            is_gap: records are gone unread.
            skip_to: the offset after what halted it.
        """

    async def resume_request(self, halt: Halt) -> Start | None:
        """Return where an operator has requested to resume after `halt`; None: no request yet."""

    async def clear_halt(self, *, lost_below: int | None = None) -> None:
        """Clear the halt; records below `lost_below` that are not applied are given up."""

    async def attempt(self, attempt: Attempt | None) -> None:
        """Record which record is being handled; None: none is."""


class LogPosition(Protocol):
    """The read position of a partition."""

    async def end_offset(self) -> int:
        """Return the end offset of the log; may raise `TransientError`."""

    async def next_offset(self) -> int:
        """Return the offset that is fetched next, once it is known."""

    def seek(self, offset: int) -> None:
        """Fetch from `offset` next."""


class PartitionHandler(PartitionState, Protocol):
    """Handler of one partition's records, from its assignment to its revocation."""

    async def open(self, end_offset: EndOffset, is_another: IsAnother | None = None) -> PartitionCheckpoint:
        """Take the partition over; called until it succeeds, before any record is handled.

        Args:
            end_offset: returns the end of the log; may raise `TransientError`.
            is_another: says whether a log that ends before the applied offset was re-created; None: it was.
        """

    async def handle(self, records: Sequence[Record]) -> bool:
        """Apply records, given in offset order; on return all effects are durable and may be committed.

        Called again with the same records, or a part of them, after it raised.

        Returns:
            True if any was applied; False if all of them were quarantined.
        """

    async def dead_letter(self, dead_letter: DeadLetter) -> None:
        """Dead-letter a record, which is not retried; on return it is durable."""
