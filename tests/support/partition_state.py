"""`messaging.consumer.handler.PartitionState` in memory."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from domain.processing.halts import Attempt, Halt, PartitionCheckpoint, Start, accepted
from messaging.dead_letters.records import Record
from tests.support.builders import NOON


@dataclass
class MemoryPartitionState:
    """The state of a partition; outlives its owners, as the fence does.

    Attributes:
        halt: set while the partition is halted.
        requested_start: where an operator has requested to resume.
        current_attempt: the record that is being handled.
        attempts: all recorded attempts.
        stops: how often it has been halted.
        state_errors: raised by the next calls, one each.
    """

    halt: Halt | None = None
    requested_start: Start | None = None
    current_attempt: Attempt | None = None
    stalled_opens: int = 0
    next_offset: int = 0
    attempts: list[Attempt | None] = field(default_factory=list)
    state_errors: deque[Exception] = field(default_factory=deque)
    stops: int = 0

    def checkpoint(self, end_offset: int) -> PartitionCheckpoint:
        """Return the checkpoint of a new owner."""
        return PartitionCheckpoint(
            halt=self.halt,
            stalled_opens=self.stalled_opens,
            attempt=self.current_attempt,
            next_offset=self.next_offset,
            end_offset=end_offset,
        )

    async def stop(self, problem: str, *, is_gap: bool, skip_to: int | None = None) -> Halt:
        """Record that the partition is halted."""
        self._raise_planned()
        self.stops += 1
        self.halt = Halt(problem, NOON + timedelta(seconds=self.stops), is_gap, skip_to)
        return self.halt

    async def resume_request(self, halt: Halt) -> Start | None:
        """Return the operator's request."""
        self._raise_planned()
        return self.requested_start if halt == self.halt else None

    async def clear_halt(self, *, lost_below: int | None = None) -> None:
        """Clear the halt and the request."""
        self._raise_planned()
        if lost_below is not None:
            self.next_offset = accepted(self.halt, self.next_offset, lost_below)
        self.halt = self.requested_start = None

    def passed(self, records: Sequence[Record]) -> None:
        """Record the offset up to which records are applied or dead-lettered."""
        self.next_offset = max(self.next_offset, records[-1].offset + 1)

    async def attempt(self, attempt: Attempt | None) -> None:
        """Record which record is being handled."""
        self._raise_planned()
        self.current_attempt = attempt
        self.attempts.append(attempt)

    def _raise_planned(self) -> None:
        if self.state_errors:
            raise self.state_errors.popleft()
