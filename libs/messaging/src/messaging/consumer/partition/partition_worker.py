"""The worker of one partition: passes fetched records to the handler in order, and retries in place.

It knows nothing of shipments. What a handler may raise, and what follows:

- `TransientError`: the same batch again, after a growing pause, for as long as it takes. Never a dead letter
  (`Retrier`).
- `Fenced`: another owner has the partition; the worker yields, then takes it over again if it is still
  assigned (`Ownership`).
- anything else: some record breaks the code. The batch is halved until the record is alone; it is tried
  `MAX_ATTEMPTS` times, once if it is a `PoisonRecord` (`BisectingApplier`), then dead-lettered
  (`DeadLettering`). Too many dead letters in a row halt the partition instead: a bad deploy must not empty
  the topic into the dead letters. So does a record that cannot even be dead-lettered.

A partition stays halted for every owner, until an operator resumes it (`Halting`). A record that crashes the
process raises nothing: `SuspectRange` finds it (ADR 0009).
"""

import asyncio

import structlog

from domain.errors import Fenced
from messaging.consumer.handler import LogPosition, PartitionHandler
from messaging.consumer.partition.applying import BisectingApplier
from messaging.consumer.partition.dead_lettering import DeadLettering
from messaging.consumer.partition.halting import Halted, Halting
from messaging.consumer.partition.isolation import IsolatingHandler
from messaging.consumer.partition.ownership import Ownership
from messaging.consumer.partition.slots import Slots
from messaging.consumer.worker.retrier import Retrier
from messaging.consumer.worker.worker import Worker
from messaging.consumer.worker.worker_states import Abandoned, State
from messaging.unpacking import UnreadableBatch

_log = structlog.get_logger(__name__)


class PartitionWorker(Worker):
    """Runs one partition that has an owner.

    Attributes:
        halting: its halt, and how it resumes.
        ownership: how it is taken over.
    """

    def __init__(
        self,
        name: str,
        handler: PartitionHandler,
        *,
        max_batch: int,
        slots: Slots,
        alone: asyncio.Lock,
    ) -> None:
        """Create a worker; `run` starts it.

        Args:
            name: `topic/number`.
            handler: of this partition.
            max_batch: records passed to the handler at once.
            slots: shared by all partitions.
            alone: held while a record that may crash the process is handled, so that no other is blamed.
        """
        super().__init__(name, max_batch=max_batch)
        status, queue = self.status, self.queue
        isolating = IsolatingHandler(handler, alone)
        self._retrier = retrier = Retrier(status, lambda: slots.for_batch(queue.size))
        self._dead_letters = DeadLettering(name, isolating, retrier)
        self._applier = BisectingApplier(
            isolating, self._dead_letters, slots=slots, status=status, queue=queue, retrier=retrier
        )
        self.halting = Halting(handler, status, queue)
        self.ownership = Ownership(
            handler, isolating, self.halting, status=status, queue=queue, retrier=retrier
        )

    def halt(self, problem: str, *, is_gap: bool = False, skip_to: int | None = None) -> None:
        """See `Halting.halt`."""
        self.halting.halt(problem, is_gap=is_gap, skip_to=skip_to)

    def reopen(self, why: str) -> None:
        """See `Ownership.reopen`."""
        self.ownership.reopen(why)

    async def _serve(self, log: LogPosition) -> None:
        if self.status.is_halted:
            # What is in flight or fetched is dropped: it is read again from where the partition resumes.
            self.queue.drop_batch()
            self._dead_letters.end_row()
            await self.halting.wait_for_resume()
            return
        try:
            await self._own(log)
        except Fenced as fenced:
            await self.ownership.yield_to_other(fenced)
        except Halted as halted:
            self.halt(str(halted), skip_to=halted.skip_to)
        except Abandoned:
            _log.info("batch_abandoned", partition=self.name)

    async def _own(self, log: LogPosition) -> None:
        """Take the partition over; apply records until it is halted, stopped, or to be taken over again."""
        inbox = self.queue.inbox
        await self.ownership.take_over(log)
        self.status.enter(State.RUNNING)
        while await self.status.until(lambda: inbox.has_any or self.queue.log_changed):
            if self.queue.log_changed:
                return
            if (unreadable := inbox.unreadable) is not None and not inbox:
                await self._pass_over(unreadable, log)
            else:
                await self._applier.apply_next()
                self.queue.settle()

    async def _pass_over(self, unreadable: UnreadableBatch, log: LogPosition) -> None:
        """Pass over a batch that nobody can read, if an owner before has given it up.

        Raises:
            Halted: nobody has.
        """
        inbox = self.queue.inbox
        if (behind := inbox.pass_over(self.ownership.applied)) is not None:
            # The owner that moved the fence past it has given it up; records after it were dropped.
            log.seek(behind)
            self.queue.done = behind
            return
        end = await self._retrier.until_done(log.end_offset)
        if inbox.unreadable is unreadable:
            raise Halted.at(unreadable, end)
