"""Ownership: taking a partition over, where reading starts, yielding to another owner (ADR 0002, 0012)."""

import asyncio

import structlog

from domain.errors import Fenced
from messaging.consumer.handler import LogPosition, PartitionHandler
from messaging.consumer.partition.halting import Halting, lost_tail
from messaging.consumer.partition.isolation import IsolatingHandler, SuspectRange
from messaging.consumer.position import soon
from messaging.consumer.worker.record_queue import RecordQueue
from messaging.consumer.worker.retrier import Retrier
from messaging.consumer.worker.worker_states import State, yield_s
from messaging.consumer.worker.worker_status import WorkerStatus

_log = structlog.get_logger(__name__)


class Ownership:
    """Owns a partition by its fence, as long as no other process does.

    Attributes:
        applied: the offset up to which the previous owners had applied everything.
        stalled_opens: previous owners, in a row, that found records and made no progress.
    """

    def __init__(
        self,
        handler: PartitionHandler,
        isolating: IsolatingHandler,
        halting: Halting,
        *,
        status: WorkerStatus,
        queue: RecordQueue,
        retrier: Retrier,
    ) -> None:
        """Create it for a worker.

        Args:
            handler: raises the epoch.
            isolating: gets from each takeover the range of records that may crash the process.
            halting: gets from each takeover the halt that the owner before left.
            status: of the worker.
            queue: of the worker.
            retrier: of the worker.
        """
        self.applied = self.stalled_opens = 0
        self._is_another_log = False
        self._handler, self._isolating, self._halting = handler, isolating, halting
        self._status, self._queue, self._retrier = status, queue, retrier

    def reopen(self, why: str) -> None:
        """Have the partition taken over again after the batch in flight: its log was re-created."""
        _log.warning("partition_reopened", partition=self._status.name, why=why)
        self._queue.inbox.drop()
        self._queue.done, self._queue.is_unread = None, False
        self._queue.log_changed = self._is_another_log = True
        self._status.wake()

    async def take_over(self, log: LogPosition) -> None:
        """Raise the epoch, and read from where the fence says.

        Raises:
            Fenced: another process has raised it meanwhile.
            Abandoned: it failed, and the worker has been stopped or halted.
        """
        if self._queue.log_changed:
            self._status.enter(State.OPENING)
            self._queue.log_changed, self._queue.done = False, None  # the batch in flight then has moved it
        self.applied = await self._retrier.until_done(lambda: self._open(log))
        await self._go_back(log, self.applied)

    async def _open(self, log: LogPosition) -> int:
        """Take the partition over; return the offset up to which it is applied."""
        checkpoint = await self._handler.open(log.end_offset, lambda: self._is_another(log))
        self.stalled_opens = checkpoint.stalled_opens
        self._isolating.suspects = SuspectRange(checkpoint, batch=self._queue.max_batch)
        if await self._halting.taken_over(checkpoint):
            # The operator has solved what halted it: old attempts do not count any more.
            self._isolating.suspects = SuspectRange()
        applied = self._halting.accepted_offset(checkpoint)
        if applied > checkpoint.end_offset and not self._status.has_ended:
            end = checkpoint.end_offset
            self._halting.halt(lost_tail(end, applied), is_gap=True, skip_to=end)
        return applied

    async def _is_another(self, log: LogPosition) -> bool:
        """Say whether the log was re-created: it was seen to be, or the group has no offset in it."""
        await soon(log.next_offset())  # until then it is not known what the group has committed
        return self._queue.done is None and (self._is_another_log or self._queue.is_unread)

    async def _go_back(self, log: LogPosition, applied: int) -> None:
        """Seek back to what is applied, if the group has committed more: the store may have been restored.

        The committed offset is a hint. It may lag behind, then records are redelivered.
        """
        if self._status.has_ended:
            return
        queue = self._queue
        fetched_next = await log.next_offset()
        first = queue.inbox[0].offset if queue.inbox else fetched_next
        if first > applied and (applied or not queue.is_unread):
            _log.warning(
                "partition_read_again", partition=self._status.name, committed=first, applied=applied
            )
            queue.inbox.drop()
            log.seek(applied)
            queue.done = applied

    async def yield_to_other(self, fenced: Fenced) -> None:
        """Let the other owner continue; then the partition is taken back if it is still assigned to us.

        A process that was frozen may raise the epoch before it learns that it was evicted: the rightful owner
        must not stay away for ever. Alternating is harmless: what the other has applied is looked up first.
        """
        _log.warning("partition_lost", partition=self._status.name, error=str(fenced))
        self._status.enter(State.LOST, str(fenced))
        if self._queue.log_changed:  # what is in flight is of the log before
            self._queue.drop_batch()
        else:
            self._queue.return_batch()
        await asyncio.sleep(yield_s())
