"""The worker of one partition: passes fetched records to the handler in order, and retries in place.

It knows nothing of shipments. What a handler may raise, and what follows:

- `TransientError`: the same batch again, after a growing pause, for as long as it takes. Never a dead letter.
- `Fenced`: another owner has the partition; the worker yields, then takes it over again if it is still
  assigned.
- anything else: some record breaks the code. The batch is halved until the record is alone; it is tried
  `MAX_ATTEMPTS` times (once, if it is a `PoisonRecord`), then dead-lettered. Too many dead letters in a row
  halt the partition instead: a bad deploy must not empty the topic into the dead letters. So does a record
  that cannot even be dead-lettered.

A partition stays halted for every owner, until an operator resumes it. A record that crashes the process
raises nothing: `SuspectRange` finds it (ADR 0009).
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import structlog

from domain.errors import Fenced, PoisonRecord, TransientError
from domain.processing.halts import Halt, Start, accepted
from messaging.consumer.handler import LogPosition, PartitionHandler
from messaging.consumer.inbox import Inbox
from messaging.consumer.isolation import CrashingRecord, IsolatingHandler, SuspectRange, dead_letter_for
from messaging.consumer.position import soon
from messaging.consumer.slots import Slots
from messaging.consumer.worker_states import Abandoned, Halted, State, lost_tail, pause_s
from messaging.dead_letters.records import Record
from messaging.unpacking import UnreadableBatch

MAX_ATTEMPTS: Final = 5
MAX_CONSECUTIVE_DEAD_LETTERS: Final = 100
YIELD_OWNERSHIP_S: Final = 1.0
ASK_AGAIN_S: Final = 2.0

_log = structlog.get_logger(__name__)

T = TypeVar("T")


class PartitionWorker:
    """Runs one partition.

    Attributes:
        done: the offset up to which everything is applied, and which may be committed.
        restart: where a halted partition resumes, until its records come from there.
        stalled_opens: previous owners, in a row, that found records and made no progress.
        applied: the offset up to which the previous owners had applied everything.
        is_unread: the group has never committed here: the log may begin at any offset.
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
        self.name = name
        self.done: int | None = None
        self.state, self.last_activity = State.OPENING, time.monotonic()
        self.problem: str | None = None
        self.restart: Start | None = None
        self.stalled_opens = self.applied = 0
        self._handler, self._max_batch, self._slots = handler, max_batch, slots
        self._inbox = Inbox()
        self._batch: list[Record] = []
        self._arrived, self._quiet = asyncio.Event(), asyncio.Event()
        self._quiet.set()
        self._stopping, self._consecutive_dead_letters = asyncio.Event(), 0
        self._isolating = IsolatingHandler(handler, alone)
        self.is_unread = self._is_gap = self._reopening = self._is_anew = False
        self._halt: Halt | None = None
        self._resumed: Halt | None = None
        self._skip_to: int | None = None
        self._lost_below: int | None = None

    @property
    def has_room(self) -> bool:
        """True if more records should be fetched: less than half a batch waits."""
        wants = self.state is not State.HALTED and self._inbox.unreadable is None
        return wants and len(self._inbox) < self._max_batch / 2

    @property
    def is_busy(self) -> bool:
        """True while records wait or are being handled."""
        return bool(self._inbox or self._batch)

    @property
    def is_idle(self) -> bool:
        """True if it runs, and everything it received is applied."""
        return self.state is State.RUNNING and not self.is_busy

    @property
    def skip_to(self) -> int | None:
        """The offset after what halted the partition, if that can be skipped."""
        return None if self._halt is None else self._halt.skip_to

    def put(self, records: Sequence[Record | UnreadableBatch]) -> None:
        """Add records, to be handled after those that wait already; not while halted."""
        if self.state is not State.HALTED:
            self._inbox.put(records)
            self._arrived.set()

    def halt(self, problem: str, *, is_gap: bool = False, skip_to: int | None = None) -> None:
        """Halt until an operator has solved `problem`; what is done is committed. See `Halt`."""
        _log.error("partition_halted", partition=self.name, problem=problem)
        self.state, self.problem = State.HALTED, problem
        self._is_gap, self._skip_to = is_gap, skip_to
        self._inbox.drop()
        self._arrived.set()

    def reopen(self, why: str) -> None:
        """Take the partition over again after the batch in flight: its log was re-created."""
        _log.warning("partition_reopened", partition=self.name, why=why)
        self._inbox.drop()
        self._reopening, self._is_anew, self.is_unread, self.done = True, True, False, None
        self._arrived.set()

    def restarted(self, offset: int) -> None:
        """Resume: records are fetched from `offset`, as `restart` requested."""
        if self.restart in (Start.EARLIEST, Start.NEXT):
            self.done = self._lost_below = offset  # the gap is accepted once, not by each owner again
        self.restart = None
        self._arrived.set()

    def stop(self) -> None:
        """Start no new batch from here on."""
        self._stopping.set()
        self._arrived.set()

    async def drain(self) -> None:
        """Start no new batch; return when the one in flight is done, or abandoned."""
        self.stop()
        await self._quiet.wait()

    async def run(self, log: LogPosition) -> None:
        """Handle records until cancelled or drained; while halted, wait for an operator's request."""
        try:
            while not self._stopping.is_set():
                if self.state is State.HALTED:
                    await self._wait_for_resume()
                else:
                    await self._work(log)
        finally:
            self._quiet.set()

    @property
    def _ended(self) -> bool:
        return self._stopping.is_set() or self.state is State.HALTED

    async def _work(self, log: LogPosition) -> None:
        try:
            await self._serve(log)
        except Fenced as fenced:
            await self._yield_ownership(fenced)
        except Halted as halted:
            self.halt(str(halted), skip_to=halted.skip_to)
        except Abandoned:
            _log.info("batch_abandoned", partition=self.name)

    async def _serve(self, log: LogPosition) -> None:
        if self._reopening:
            self._reopening, self.done = False, None  # the batch in flight then has moved it
        applied = self.applied = await self._until_done(lambda: self._open(log))
        await self._go_back(log, applied)
        self._enter(State.RUNNING)
        while await self._some_arrived():
            if self._reopening:
                self._enter(State.OPENING)
                return
            if (behind := self._inbox.pass_over(applied)) is not None:
                # The owner that moved the fence past it has given it up; records after it were dropped.
                log.seek(behind)
                self.done = behind
                continue
            if not self._inbox and (unreadable := self._inbox.unreadable) is not None:
                end = await self._until_done(log.end_offset)
                if self._inbox.unreadable is unreadable:
                    raise Halted.at(unreadable, end)
                continue
            await self._apply(self._batch)
            self._quiet.set()

    async def _go_back(self, log: LogPosition, applied: int) -> None:
        """Seek back to what is applied, if the group has committed more: the store may have been restored.

        The committed offset is a hint. It may lag behind, then records are redelivered.
        """
        if self._ended:
            return
        fetched_next = await log.next_offset()
        first = self._inbox[0].offset if self._inbox else fetched_next
        if first > applied and (applied or not self.is_unread):
            _log.warning("partition_read_again", partition=self.name, committed=first, applied=applied)
            self._inbox.drop()
            log.seek(applied)
            self.done = applied

    async def _is_another(self, log: LogPosition) -> bool:
        """Say whether the log was re-created: it was seen to be, or the group has no offset in it."""
        await soon(log.next_offset())  # until then it is not known what the group has committed
        return self.done is None and (self._is_anew or self.is_unread)

    async def _open(self, log: LogPosition) -> int:
        """Take the partition over; return the offset up to which it is applied."""
        checkpoint = await self._handler.open(log.end_offset, lambda: self._is_another(log))
        self.stalled_opens = checkpoint.stalled_opens
        self._isolating.suspects = SuspectRange(checkpoint, batch=self._max_batch)
        if self._resumed is not None and checkpoint.halt == self._resumed:
            # The operator has solved what halted it: old attempts do not count any more.
            await self._handler.attempt(None)
            await self._handler.clear_halt(lost_below=self._lost_below)
            self._isolating.suspects = SuspectRange()
            _log.warning("partition_resumed", partition=self.name)
        elif checkpoint.halt is not None:
            self._halt = checkpoint.halt
            self.halt(checkpoint.halt.problem, is_gap=checkpoint.halt.is_gap, skip_to=checkpoint.halt.skip_to)
        applied = accepted(checkpoint.halt, checkpoint.next_offset, self._lost_below)
        self._resumed = self._lost_below = None
        if applied > checkpoint.end_offset and not self._ended:
            self.halt(lost_tail(checkpoint.end_offset, applied), is_gap=True, skip_to=checkpoint.end_offset)
        return applied

    async def _wait_for_resume(self) -> None:
        """Wait until an operator resumes the partition, then until its records are fetched again.

        Fetched records are dropped: they are read again from where it resumes.
        """
        self._batch, self._consecutive_dead_letters = [], 0
        self._quiet.set()
        try:
            self.restart = await self._await_resume_request()
        except Fenced as fenced:
            _log.warning("partition_lost", partition=self.name, error=str(fenced))
            await self._woken_within(random.uniform(YIELD_OWNERSHIP_S, 2 * YIELD_OWNERSHIP_S))  # noqa: S311  # jitter
            self.restart = Start.COMMITTED
        else:
            self._resumed = self._halt
        while self.restart is not None and not self._stopping.is_set():
            await self._woken_within(ASK_AGAIN_S)
        self._halt = None
        if not self._stopping.is_set():
            self.state, self.problem = State.OPENING, None

    async def _await_resume_request(self) -> Start | None:
        while not self._stopping.is_set():
            try:
                if self._halt is None:
                    self._halt = await self._handler.stop(
                        self.problem or "", is_gap=self._is_gap, skip_to=self._skip_to
                    )
                start = await self._handler.resume_request(self._halt)
            except TransientError as error:
                _log.warning("halt_not_recorded", partition=self.name, error=str(error))
            else:
                if start is not None:
                    return start
            await self._woken_within(ASK_AGAIN_S)
        return None

    async def _woken_within(self, seconds: float) -> None:
        self._arrived.clear()
        if not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), seconds)

    async def _some_arrived(self) -> bool:
        while not (self._inbox.has_any or self._reopening or self._ended):
            self._arrived.clear()
            await self._arrived.wait()
        return not self._ended

    def _filled(self, batch: list[Record]) -> list[Record]:
        """Fill an empty batch once it has a slot: records that arrive while it waits make it larger."""
        if not batch:
            if self._ended:
                raise Abandoned
            self._quiet.clear()
            size = self._isolating.suspects.share(self._inbox, self._max_batch)
            batch.extend(self._inbox.popleft() for _ in range(size))
        return batch

    async def _yield_ownership(self, fenced: Fenced) -> None:
        """Let the other owner continue; take the partition back if it is still assigned to us.

        A process that was frozen may raise the epoch before it learns that it was evicted: the rightful owner
        must not stay away for ever. Alternating is harmless: what the other has applied is looked up first.
        """
        _log.warning("partition_lost", partition=self.name, error=str(fenced))
        self._enter(State.LOST, str(fenced))
        if not self._reopening:  # else they are of the log before
            self._inbox.extendleft(reversed(self._batch))
        self._batch = []
        self._quiet.set()
        await asyncio.sleep(random.uniform(YIELD_OWNERSHIP_S, 2 * YIELD_OWNERSHIP_S))  # noqa: S311  # jitter

    async def _apply(self, batch: list[Record]) -> None:
        try:
            applied = await self._until_done(lambda: self._isolating.handle(self._filled(batch)))
        except (Fenced, Abandoned):
            raise
        except Exception as error:  # noqa: BLE001  # top of the loop: one record must not stop the others
            await self._isolate(batch, error)
        else:
            self._passed(batch, applied=applied)

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
                applied = await self._until_done(lambda: self._isolating.handle(batch))
            except (Fenced, Abandoned):
                raise
            except Exception as again:  # noqa: BLE001  # as above
                error = again
            else:
                self._passed(batch, applied=applied)
                return
        await self._dead_letter(batch[0], error, attempts)
        self._passed(batch, applied=False)

    def _passed(self, records: list[Record], *, applied: bool) -> None:
        """Advance: the first records of the batch are applied or dead-lettered."""
        if applied:
            self._consecutive_dead_letters = 0
        self.done = records[-1].offset + 1
        self._isolating.suspects.passed(records[-1].offset)
        del self._batch[: len(records)]

    async def _dead_letter(self, record: Record, error: Exception, attempts: int) -> None:
        self._consecutive_dead_letters += 1
        if self._consecutive_dead_letters > MAX_CONSECUTIVE_DEAD_LETTERS:
            raise Halted(f"{MAX_CONSECUTIVE_DEAD_LETTERS} dead letters in a row, the last: {error}")
        dead_letter = dead_letter_for(record, error, attempts)
        try:
            await self._until_done(lambda: self._isolating.dead_letter(dead_letter))
        except (Fenced, Abandoned):
            raise
        except Exception as bug:  # the next process would end at the same record
            problem = f"offset {record.offset} can be neither applied nor dead-lettered: {bug!r}"
            raise Halted(problem, record.offset + 1) from bug
        fields = {"offset": record.offset, "reason": dead_letter.reason, "error": dead_letter.error}
        _log.error("dead_letter", partition=self.name, **fields)

    async def _until_done(self, step: Callable[[], Awaitable[T]]) -> T:
        attempts = 0
        before = self.state
        while True:
            self.last_activity = time.monotonic()
            try:
                # Held for the step only: a partition that waits to retry must not block others.
                async with self._slots.for_batch(len(self._batch or self._inbox)):
                    result = await step()
            except TransientError as error:
                if self._ended:
                    raise Abandoned from error
                attempts += 1
                self._enter(State.RETRYING, str(error))
                _log.warning("batch_retried", partition=self.name, attempts=attempts, error=str(error))
                await self._back_off(pause_s(attempts))
            else:
                self._enter(before)
                return result

    async def _back_off(self, pause_s: float) -> None:
        """Back off before the next attempt; abandon the batch once the worker is stopping."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause_s)
            raise Abandoned

    def _enter(self, state: State, problem: str | None = None) -> None:
        """Change the state; a worker that was halted meanwhile stays halted."""
        if self.state is not State.HALTED:
            self.state = state
            self.problem = problem
