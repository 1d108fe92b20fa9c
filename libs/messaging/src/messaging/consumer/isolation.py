"""Records at which the process itself may end: handled alone, each noted before (ADR 0009)."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from domain.errors import PoisonRecord, WaybillError
from domain.processing.halts import EMPTY_CHECKPOINT, STALLED_OPENS, Attempt, PartitionCheckpoint
from messaging.consumer.handler import PartitionHandler
from messaging.dead_letters.records import UNREADABLE, DeadLetter, Record

MAX_ENDED: Final = 5
"""So many processes may end with a record in hand before it is buried."""

LAST_NOTE_S: Final = 2.0

T = TypeVar("T")


class CrashingRecord(Exception):
    """A record at which the process has ended too often."""

    def __init__(self, ended: int) -> None:
        super().__init__(f"the process ended {ended} times while it was being handled")
        self.ended = ended


def letter_of(record: Record, error: Exception, attempts: int) -> DeadLetter:
    """Return the dead letter of a record that was tried so often, and what came of it last."""
    if isinstance(error, PoisonRecord):
        return DeadLetter(record, UNREADABLE, str(error), attempts)
    if isinstance(error, CrashingRecord):
        return DeadLetter(record, "unprocessable", str(error), error.ended, unread=error.ended > MAX_ENDED)
    return DeadLetter(record, "unprocessable", f"{type(error).__name__}: {error}", attempts)


class SuspectRange:
    """Which records are to be handled alone: what follows for a partition from how its last owners ended.

    If one of them left a record in hand, that one and a batch's worth behind it: those before have come
    through. If they got nowhere, a batch's worth on both sides of where the fence stands: the batch at which
    they ended begins there, or was committed and could not be told. Never records that were not there yet.
    """

    def __init__(self, inherited: PartitionCheckpoint = EMPTY_CHECKPOINT, *, batch: int = 0) -> None:
        self._attempt = inherited.attempt
        if self._attempt is not None:
            self._first = self._attempt.offset
            self._end = min(inherited.end_offset, self._first + batch)
        elif inherited.stalled_opens >= STALLED_OPENS:
            self._first = inherited.next_offset - batch
            self._end = min(inherited.end_offset, inherited.next_offset + batch)
        else:
            self._first = self._end = 0
        self.is_over = self._first >= self._end

    def covers(self, offset: int) -> bool:
        """Say whether a record is to be handled alone."""
        return self._first <= offset < self._end

    def share(self, records: Sequence[Record], most: int) -> int:
        """Return how many of the first records may be handled at once: those that are not covered, or one."""
        size = min(len(records), most)
        if self.is_over:
            return size
        alone = (index for index in range(size) if self.covers(records[index].offset))
        return next(alone, size) or 1

    def before(self, offset: int) -> Attempt:
        """Return how many processes have ended with this record in hand."""
        if self._attempt is not None and self._attempt.offset == offset:
            return self._attempt
        return Attempt(offset, 0)

    def passed(self, offset: int) -> None:
        """Take note that everything up to a record has come through."""
        self.is_over = self.is_over or offset + 1 >= self._end


class IsolatingHandler:
    """Hands records to a handler, those that `caution` covers alone and with a note."""

    def __init__(self, handler: PartitionHandler, alone: asyncio.Lock) -> None:
        self.caution = SuspectRange()
        self._handler = handler
        self._alone = alone

    async def handle(self, records: Sequence[Record]) -> bool:
        """See `PartitionHandler.handle`; a record that is covered comes alone.

        Raises:
            CrashingRecord: too many processes have ended with the record in hand.
        """
        offset = records[0].offset
        if not self.caution.covers(offset):
            return await self._handler.handle(records)
        ended = self.caution.before(offset).count
        if ended >= MAX_ENDED:
            raise CrashingRecord(ended)
        return await self._noted(offset, lambda: self._handler.handle(records))

    async def bury(self, letter: DeadLetter) -> None:
        """See `PartitionHandler.bury`.

        Raises:
            CrashingRecord: processes have ended with the record in hand even when it was only put down.
        """
        offset = letter.record.offset
        ended = self.caution.before(offset).count
        if ended < MAX_ENDED:
            await self._handler.bury(letter)
        elif ended <= MAX_ENDED + 1:
            await self._noted(offset, lambda: self._handler.bury(letter))
        else:
            raise CrashingRecord(ended)

    async def _noted(self, offset: int, step: Callable[[], Awaitable[T]]) -> T:
        """Do a step that may end the process. Only then does the note stand: not after an orderly failure."""
        before = self.caution.before(offset)
        left_behind = before if before.count else None
        async with self._alone:
            try:
                await self._handler.attempt(Attempt(offset, before.count + 1))
                result = await step()
            except asyncio.CancelledError:
                with contextlib.suppress(WaybillError, TimeoutError):
                    await asyncio.wait_for(self._handler.attempt(left_behind), LAST_NOTE_S)
                raise
            except Exception:
                await self._handler.attempt(left_behind)
                raise
            await self._handler.attempt(None)
            return result
