"""`messaging.consumer.handler.PartitionState` in memory: what is noted, and what operators say."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from domain.processing.halts import Attempt, Halt, PartitionCheckpoint, Start, accepted
from messaging.dead_letters.records import Record
from tests.support.builders import NOON


@dataclass
class MemoryNotebook:
    """Outlives its owners, as the fence does.

    Attributes:
        halt: why the partition stands still.
        word: from where an operator wants it to go on.
        in_hand: the record that is in hand.
        attempts: all that was noted of attempts.
        stops: how often it has been stopped.
        note_troubles: raised by the next calls, one each.
    """

    halt: Halt | None = None
    word: Start | None = None
    in_hand: Attempt | None = None
    stalled_opens: int = 0
    next_offset: int = 0
    attempts: list[Attempt | None] = field(default_factory=list)
    note_troubles: deque[Exception] = field(default_factory=deque)
    stops: int = 0

    def inherited(self, end_offset: int) -> PartitionCheckpoint:
        """Return what a new owner finds."""
        return PartitionCheckpoint(
            halt=self.halt,
            stalled_opens=self.stalled_opens,
            attempt=self.in_hand,
            next_offset=self.next_offset,
            end_offset=end_offset,
        )

    async def stop(self, problem: str, *, is_gap: bool, skip_to: int | None = None) -> Halt:
        """Note that the partition stands still."""
        self._be_troubled()
        self.stops += 1
        self.halt = Halt(problem, NOON + timedelta(seconds=self.stops), is_gap, skip_to)
        return self.halt

    async def told(self, halt: Halt) -> Start | None:
        """Return what the operator has said."""
        self._be_troubled()
        return self.word if halt == self.halt else None

    async def clear_halt(self, *, lost_below: int | None = None) -> None:
        """Forget that it stood still, and what was said then."""
        self._be_troubled()
        if lost_below is not None:
            self.next_offset = accepted(self.halt, self.next_offset, lost_below)
        self.halt = self.word = None

    def passed(self, records: Sequence[Record]) -> None:
        """Note up to where records are applied or buried."""
        self.next_offset = max(self.next_offset, records[-1].offset + 1)

    async def attempt(self, attempt: Attempt | None) -> None:
        """Note which record is in hand."""
        self._be_troubled()
        self.in_hand = attempt
        self.attempts.append(attempt)

    def _be_troubled(self) -> None:
        if self.note_troubles:
            raise self.note_troubles.popleft()
