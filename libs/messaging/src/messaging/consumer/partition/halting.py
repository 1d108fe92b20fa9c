"""Halts: why a partition halts, for every owner, and how an operator resumes it (ADR 0009)."""

from typing import Final, Self

import structlog

from domain.errors import Fenced, TransientError
from domain.processing.halts import Halt, PartitionCheckpoint, Start, accepted
from messaging.consumer.handler import PartitionState
from messaging.consumer.worker.record_queue import RecordQueue
from messaging.consumer.worker.worker_states import yield_s
from messaging.consumer.worker.worker_status import WorkerStatus
from messaging.unpacking import UnreadableBatch

ASK_AGAIN_S: Final = 2.0

_log = structlog.get_logger(__name__)


class Halted(Exception):
    """Too many dead letters, one that cannot be stored, or records that cannot be read: halt the partition.

    Attributes:
        skip_to: the offset after what halts it, if it is one record or one batch.
    """

    def __init__(self, problem: str, skip_to: int | None = None) -> None:
        super().__init__(problem)
        self.skip_to = skip_to

    @classmethod
    def at(cls, batch: UnreadableBatch, end_offset: int) -> Self:
        """Return the halt for an unreadable batch of a log that ends at `end_offset`."""
        next_offset = batch.end_in(end_offset)
        last = next_offset - 1
        offsets = f"offset {batch.offset}" if last <= batch.offset else f"offsets {batch.offset} to {last}"
        return cls(f"{offsets} cannot be read: {batch.fault}", next_offset)


def lost_tail(end: int, applied: int) -> str:
    """Return the problem of a log that ends before the applied offset, though the topic is the same."""
    return f"the log ends at {end}, applied up to {applied}: its tail was lost"


def lost_to_retention(offset: int) -> str:
    """Return the problem of records that are gone and were never applied."""
    return f"offset {offset} is no longer in the log: records have been lost to retention"


class Halting:
    """Halts a partition, and finds out when and where it resumes.

    Attributes:
        restart: where the partition resumes, until its records come from there.
    """

    def __init__(self, durable: PartitionState, status: WorkerStatus, queue: RecordQueue) -> None:
        """Create it for a worker.

        Args:
            durable: records halts for every owner.
            status: of the worker.
            queue: of the worker.
        """
        self.restart: Start | None = None
        self._durable, self._status, self._queue = durable, status, queue
        self._is_gap = False
        self._skip_to: int | None = None
        self._recorded: Halt | None = None
        self._resumed: Halt | None = None
        self._lost_below: int | None = None

    @property
    def skip_to(self) -> int | None:
        """The offset after what halted the partition, if that can be skipped."""
        return None if self._recorded is None else self._recorded.skip_to

    def halt(self, problem: str, *, is_gap: bool = False, skip_to: int | None = None) -> None:
        """Halt until an operator has solved `problem`; what is done is committed. See `Halt`."""
        _log.error("partition_halted", partition=self._status.name, problem=problem)
        self._is_gap, self._skip_to = is_gap, skip_to
        self._queue.inbox.drop()
        self._status.halt(problem)

    def restarted(self, offset: int) -> None:
        """Resume: records are fetched from `offset`, as `restart` requested."""
        if self.restart in (Start.EARLIEST, Start.NEXT):
            # The gap is accepted once, not by each owner again.
            self._queue.done = self._lost_below = offset
        self.restart = None
        self._status.wake()

    async def wait_for_resume(self) -> None:
        """Wait until an operator resumes the partition, then until its records are fetched again."""
        status = self._status
        try:
            self.restart = await self._resume_request()
        except Fenced as fenced:
            _log.warning("partition_lost", partition=status.name, error=str(fenced))
            await status.woken_within(yield_s())
            self.restart = Start.COMMITTED
        else:
            self._resumed = self._recorded
        while self.restart is not None and not status.is_stopping:
            await status.woken_within(ASK_AGAIN_S)
        self._recorded = None
        if not status.is_stopping:
            status.resume()

    async def _resume_request(self) -> Start | None:
        status = self._status
        while not status.is_stopping:
            try:
                if self._recorded is None:
                    self._recorded = await self._durable.stop(
                        status.problem or "", is_gap=self._is_gap, skip_to=self._skip_to
                    )
                start = await self._durable.resume_request(self._recorded)
            except TransientError as error:
                _log.warning("halt_not_recorded", partition=status.name, error=str(error))
            else:
                if start is not None:
                    return start
            await status.woken_within(ASK_AGAIN_S)
        return None

    async def taken_over(self, checkpoint: PartitionCheckpoint) -> bool:
        """Clear the halt that was resumed, or halt as the owner before did; return whether it is cleared."""
        if self._resumed is not None and checkpoint.halt == self._resumed:
            await self._durable.attempt(None)
            await self._durable.clear_halt(lost_below=self._lost_below)
            _log.warning("partition_resumed", partition=self._status.name)
            return True
        if checkpoint.halt is not None:
            self._recorded = checkpoint.halt
            self.halt(checkpoint.halt.problem, is_gap=checkpoint.halt.is_gap, skip_to=checkpoint.halt.skip_to)
        return False

    def accepted_offset(self, checkpoint: PartitionCheckpoint) -> int:
        """Return the offset up to which the partition counts as applied; the resume request ends here."""
        applied = accepted(checkpoint.halt, checkpoint.next_offset, self._lost_below)
        self._resumed = self._lost_below = None
        return applied
