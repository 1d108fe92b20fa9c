"""Applying: a batch to the handler; if that fails, its halves, down to the record that fails alone."""

import asyncio
from typing import Final

from domain.errors import Fenced, PoisonRecord
from messaging.consumer.partition.dead_lettering import DeadLettering
from messaging.consumer.partition.isolation import CrashingRecord, IsolatingHandler
from messaging.consumer.partition.slots import Slots
from messaging.consumer.worker.record_queue import RecordQueue
from messaging.consumer.worker.retrier import Retrier
from messaging.consumer.worker.worker_states import Abandoned, pause_s
from messaging.consumer.worker.worker_status import WorkerStatus
from messaging.dead_letters.records import Record

MAX_ATTEMPTS: Final = 5


class BisectingApplier:
    """Applies the records of one partition, batch by batch; one that fails is bisected."""

    def __init__(
        self,
        isolating: IsolatingHandler,
        dead_letters: DeadLettering,
        *,
        slots: Slots,
        status: WorkerStatus,
        queue: RecordQueue,
        retrier: Retrier,
    ) -> None:
        """Create it for a worker.

        Args:
            isolating: applies records.
            dead_letters: takes records that cannot be applied.
            slots: say when a batch begins.
            status: of the worker.
            queue: of the worker.
            retrier: of the worker.
        """
        self._isolating, self._dead_letters, self._slots = isolating, dead_letters, slots
        self._status, self._queue, self._retrier = status, queue, retrier

    async def apply_next(self) -> None:
        """Apply what waits as one batch; on return each of its records is applied or dead-lettered.

        Raises:
            Fenced: another process owns the partition.
            Halted: the partition must halt before the first record that is still in flight.
            Abandoned: the worker has been stopped or halted, or nothing waits any more.
        """
        await self._apply(self._queue.batch)

    async def _apply(self, batch: list[Record]) -> None:
        try:
            applied = await self._retrier.until_done(lambda: self._handle(batch))
        except (Fenced, Abandoned):
            raise
        except Exception as error:  # noqa: BLE001  # top of the loop: one record must not stop the others
            await self._isolate(batch, error)
        else:
            self._passed(batch, applied=applied)

    async def _handle(self, batch: list[Record]) -> bool:
        """Handle a batch; fill an empty one when its turn comes: records that arrive until then are in it."""
        if not batch:
            most = await self._slots.turn(self._queue.size, most=self._queue.max_batch)
            # Meanwhile the worker was stopped, or the log re-created: its records wait for the next takeover.
            if self._status.has_ended or self._queue.log_changed:
                raise Abandoned
            self._queue.begin(self._isolating.suspects.share(self._queue.inbox, most))
        return await self._isolating.handle(batch)

    async def _isolate(self, batch: list[Record], error: Exception) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                await self._apply(half)
            return
        attempts = 1
        while attempts < MAX_ATTEMPTS and not isinstance(error, PoisonRecord | CrashingRecord):
            await asyncio.sleep(pause_s(attempts))
            attempts += 1
            try:
                applied = await self._retrier.until_done(lambda: self._isolating.handle(batch))
            except (Fenced, Abandoned):
                raise
            except Exception as again:  # noqa: BLE001  # as above
                error = again
            else:
                self._passed(batch, applied=applied)
                return
        await self._dead_letters.dead_letter(batch[0], error, attempts)
        self._passed(batch, applied=False)

    def _passed(self, records: list[Record], *, applied: bool) -> None:
        """Advance: the first records in flight are applied or dead-lettered."""
        if applied:
            self._dead_letters.end_row()
        self._isolating.suspects.passed(records[-1].offset)
        self._queue.passed(records)
