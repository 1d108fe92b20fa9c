"""Dead-lettering: records that cannot be applied leave the log, but no more than a hundred in a row."""

from typing import Final

import structlog

from domain.errors import Fenced, PoisonRecord
from messaging.consumer.partition.halting import Halted
from messaging.consumer.partition.isolation import MAX_ENDED, CrashingRecord, IsolatingHandler
from messaging.consumer.worker.retrier import Retrier
from messaging.consumer.worker.worker_states import Abandoned
from messaging.dead_letters.records import UNREADABLE, DeadLetter, Record

MAX_CONSECUTIVE_DEAD_LETTERS: Final = 100

_log = structlog.get_logger(__name__)


def dead_letter_for(record: Record, error: Exception, attempts: int) -> DeadLetter:
    """Return the dead letter of a record, after `attempts` attempts and the last `error`."""
    if isinstance(error, PoisonRecord):
        return DeadLetter(record, UNREADABLE, str(error), attempts)
    if isinstance(error, CrashingRecord):
        return DeadLetter(record, "unprocessable", str(error), error.ended, unread=error.ended > MAX_ENDED)
    return DeadLetter(record, "unprocessable", f"{type(error).__name__}: {error}", attempts)


class DeadLettering:
    """Dead-letters the records of one partition, and counts how many there were in a row."""

    def __init__(self, name: str, isolating: IsolatingHandler, retrier: Retrier) -> None:
        """Create it for a worker.

        Args:
            name: of the partition.
            isolating: dead-letters a record, with its attempt recorded before if it may crash the process.
            retrier: of the worker.
        """
        self._name, self._isolating, self._retrier = name, isolating, retrier
        self._consecutive = 0

    def end_row(self) -> None:
        """Count from zero again: a record was applied, or an operator resumes the partition."""
        self._consecutive = 0

    async def dead_letter(self, record: Record, error: Exception, attempts: int) -> None:
        """Dead-letter a record that raised `error` at the last of `attempts`; on return it is durable.

        Raises:
            Halted: there were too many in a row, or it cannot be dead-lettered.
        """
        self._consecutive += 1
        if self._consecutive > MAX_CONSECUTIVE_DEAD_LETTERS:
            raise Halted(f"{MAX_CONSECUTIVE_DEAD_LETTERS} dead letters in a row, the last: {error}")
        dead_letter = dead_letter_for(record, error, attempts)
        try:
            await self._retrier.until_done(lambda: self._isolating.dead_letter(dead_letter))
        except (Fenced, Abandoned):
            raise
        except Exception as bug:  # the next process would end at the same record
            problem = f"offset {record.offset} can be neither applied nor dead-lettered: {bug!r}"
            raise Halted(problem, record.offset + 1) from bug
        fields = {"offset": record.offset, "reason": dead_letter.reason, "error": dead_letter.error}
        _log.error("dead_letter", partition=self._name, **fields)
