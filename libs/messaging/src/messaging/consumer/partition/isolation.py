"""Isolation of records that may crash the process: handled alone, each recorded before (ADR 0009)."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from domain.errors import WaybillError
from domain.processing.halts import EMPTY_CHECKPOINT, STALLED_OPENS, Attempt, PartitionCheckpoint
from messaging.consumer.handler import PartitionHandler
from messaging.dead_letters.records import DeadLetter, Record

MAX_ENDED: Final = 5
"""Processes that may end while handling a record before it is dead-lettered."""

LAST_RECORD_S: Final = 2.0

T = TypeVar("T")


class CrashingRecord(Exception):
    """A record that has crashed too many processes."""

    def __init__(self, ended: int) -> None:
        super().__init__(f"the process ended {ended} times while it was being handled")
        self.ended = ended


class SuspectRange:
    """The range of records to handle alone, from the checkpoint of the previous owners.

    If one of them ended while handling a record, that one and a batch's worth after it: those before have
    passed. If they made no progress, a batch's worth on both sides of the fence: the batch at which they
    ended begins there, or was applied and could not be published. Never records that were not in the log yet.
    """

    def __init__(self, checkpoint: PartitionCheckpoint = EMPTY_CHECKPOINT, *, batch: int = 0) -> None:
        self._attempt = checkpoint.attempt
        if self._attempt is not None:
            self._first = self._attempt.offset
            self._end = min(checkpoint.end_offset, self._first + batch)
        elif checkpoint.stalled_opens >= STALLED_OPENS:
            self._first = checkpoint.next_offset - batch
            self._end = min(checkpoint.end_offset, checkpoint.next_offset + batch)
        else:
            self._first = self._end = 0
        self.is_over = self._first >= self._end

    def covers(self, offset: int) -> bool:
        """Say whether a record is to be handled alone."""
        return self._first <= offset < self._end

    def share(self, records: Sequence[Record], most: int) -> int:
        """Return how many of the first records to handle at once: those that are not covered, or one."""
        size = min(len(records), most)
        if self.is_over:
            return size
        alone = (index for index in range(size) if self.covers(records[index].offset))
        return next(alone, size) or 1

    def before(self, offset: int) -> Attempt:
        """Return the attempts of previous processes at a record."""
        if self._attempt is not None and self._attempt.offset == offset:
            return self._attempt
        return Attempt(offset, 0)

    def passed(self, offset: int) -> None:
        """Mark everything up to an offset as handled."""
        self.is_over = self.is_over or offset + 1 >= self._end


class IsolatingHandler:
    """A handler that passes the records in `suspects` on alone, and records each attempt before."""

    def __init__(self, handler: PartitionHandler, alone: asyncio.Lock) -> None:
        self.suspects = SuspectRange()
        self._handler = handler
        self._alone = alone

    async def handle(self, records: Sequence[Record]) -> bool:
        """See `PartitionHandler.handle`; a covered record must come alone.

        Raises:
            CrashingRecord: too many processes have ended while handling the record.
        """
        offset = records[0].offset
        if not self.suspects.covers(offset):
            return await self._handler.handle(records)
        ended = self.suspects.before(offset).count
        if ended >= MAX_ENDED:
            raise CrashingRecord(ended)
        return await self._run_recorded(offset, lambda: self._handler.handle(records))

    async def dead_letter(self, dead_letter: DeadLetter) -> None:
        """See `PartitionHandler.dead_letter`.

        Raises:
            CrashingRecord: processes have ended even while the record was only dead-lettered.
        """
        offset = dead_letter.record.offset
        ended = self.suspects.before(offset).count
        if ended < MAX_ENDED:
            await self._handler.dead_letter(dead_letter)
        elif ended <= MAX_ENDED + 1:
            await self._run_recorded(offset, lambda: self._handler.dead_letter(dead_letter))
        else:
            raise CrashingRecord(ended)

    async def _run_recorded(self, offset: int, step: Callable[[], Awaitable[T]]) -> T:
        """Run a step that may end the process; the attempt stays recorded only if it does."""
        before = self.suspects.before(offset)
        left = before if before.count else None
        async with self._alone:
            try:
                await self._handler.attempt(Attempt(offset, before.count + 1))
                result = await step()
            except asyncio.CancelledError:
                with contextlib.suppress(WaybillError, TimeoutError):
                    await asyncio.wait_for(self._handler.attempt(left), LAST_RECORD_S)
                raise
            except Exception:
                await self._handler.attempt(left)
                raise
            await self._handler.attempt(None)
            return result
