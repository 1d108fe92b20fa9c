"""One partition's worker: takes what has arrived, hands it to the handler in order, retries in place.

It knows nothing of shipments. What a handler may raise, and what follows:

- `TransientError`: the same batch again, after a growing pause, for as long as it takes. Never a dead letter.
- `Fenced`: another owner has the partition; the worker stands back, then takes it over anew if it is
  still assigned.
- anything else: some record breaks the code. The batch is halved until the record stands alone; it is tried
  `MAX_ATTEMPTS` times (once, if it is a `PoisonRecord`), then buried. Too many burials in a row stop the
  partition instead: a bad deploy must not empty the topic into the dead letters. So does a record that cannot
  even be buried.

A partition that stands still does so for every owner, until an operator says that it is to go on. A record at
which the process itself ends raises nothing: `SuspectRange` says how it is found (ADR 0009).
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
from messaging.consumer.isolation import CrashingRecord, IsolatingHandler, SuspectRange, letter_of
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
        done: the offset up to which everything is applied: what may be committed.
        restart: from where a partition that stood still is to go on, until its records come from there.
        stalled_opens: owners before this one, in a row, that found records and got nowhere.
        applied: up to which offset the owners before this one had applied everything.
        is_unread: the group has never committed here: the log may begin where it likes.
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
        """Take what the worker works with.

        Args:
            name: `topic/number`.
            handler: of this partition.
            max_batch: records handed to the handler at once.
            slots: shared by all partitions.
            alone: held while a record is handled that may end the process: no other one is to be blamed.
        """
        self.name = name
        self.done: int | None = None
        self.state = State.OPENING
        self.problem: str | None = None
        self.restart: Start | None = None
        self.last_activity = time.monotonic()
        self.stalled_opens = self.applied = 0
        self._handler, self._max_batch, self._slots = handler, max_batch, slots
        self._inbox = Inbox()
        self._batch: list[Record] = []
        self._arrived = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._stopping, self._buried_in_a_row = asyncio.Event(), 0
        self._careful = IsolatingHandler(handler, alone)
        self.is_unread = self._is_gap = self._reopening = self._is_anew = False
        self._halt: Halt | None = None
        self._resumed: Halt | None = None
        self._skip_to: int | None = None
        self._lost_below: int | None = None

    @property
    def has_room(self) -> bool:
        """Whether more records should be fetched: beside the batch in work, half of one waits or more."""
        wants = self.state is not State.HALTED and self._inbox.unreadable is None
        return wants and len(self._inbox) < self._max_batch / 2

    @property
    def is_busy(self) -> bool:
        """Whether records wait or are being handled."""
        return bool(self._inbox or self._batch)

    @property
    def is_idle(self) -> bool:
        """Whether it runs, and all that it was given is applied."""
        return self.state is State.RUNNING and not self.is_busy

    @property
    def skip_to(self) -> int | None:
        """The offset behind what stopped the partition, if that can be skipped."""
        return None if self._halt is None else self._halt.skip_to

    def put(self, records: Sequence[Record | UnreadableBatch]) -> None:
        """Take in records, to be handled after those that wait already; not while halted."""
        if self.state is not State.HALTED:
            self._inbox.put(records)
            self._arrived.set()

    def halt(self, problem: str, *, is_gap: bool = False, skip_to: int | None = None) -> None:
        """Stop handling until an operator has looked at `problem`; what is done is committed. See `Halt`."""
        _log.error("partition_halted", partition=self.name, problem=problem)
        self.state = State.HALTED
        self.problem = problem
        self._is_gap, self._skip_to = is_gap, skip_to
        self._inbox.drop()
        self._arrived.set()

    def reopen(self, why: str) -> None:
        """Take the partition over once more, when the batch in work is done: its log is another one now."""
        _log.warning("partition_reopened", partition=self.name, why=why)
        self._inbox.drop()
        self._reopening, self._is_anew, self.is_unread, self.done = True, True, False, None
        self._arrived.set()

    def restarted(self, offset: int) -> None:
        """Go on: records will be fetched from `offset`, as `restart` has asked."""
        if self.restart in (Start.EARLIEST, Start.NEXT):
            self.done = self._lost_below = offset  # the gap is accepted once, not by each owner again
        self.restart = None
        self._arrived.set()

    async def drain(self) -> None:
        """Take no new batch; return when the one in work is done, or will not be."""
        self._stopping.set()
        self._arrived.set()
        await self._quiet.wait()

    async def run(self, log: LogPosition) -> None:
        """Handle records until cancelled or drained; while halted, wait for an operator's word."""
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
            self._reopening, self.done = False, None  # what was in work then has counted on
        applied = self.applied = await self._until_done(lambda: self._open(log))
        await self._go_back(log, applied)
        self._enter(State.RUNNING)
        while await self._some_arrived():
            if self._reopening:
                self._enter(State.OPENING)
                return
            if (behind := self._inbox.pass_over(applied)) is not None:
                log.seek(
                    behind
                )  # whoever moved the fence past it has given it up; what stood behind was dropped
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
        """Read on from what is applied, if the group has committed more: the store may have been put back.

        What the group has committed is a hint. It may lag behind, then records come again.
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
        """Say whether the log is another one: so it was seen, or the group has no offset of it any more."""
        await soon(log.next_offset())  # until then it is not known what the group has committed
        return self.done is None and (self._is_anew or self.is_unread)

    async def _open(self, log: LogPosition) -> int:
        """Take the partition over; returns up to which offset it is applied."""
        inherited = await self._handler.open(log.end_offset, lambda: self._is_another(log))
        self.stalled_opens = inherited.stalled_opens
        self._careful.caution = SuspectRange(inherited, batch=self._max_batch)
        if self._resumed is not None and inherited.halt == self._resumed:
            # Whoever said so has seen to what stopped it: old attempts do not count any more.
            await self._handler.attempt(None)
            await self._handler.clear_halt(lost_below=self._lost_below)
            self._careful.caution = SuspectRange()
            _log.warning("partition_resumed", partition=self.name)
        elif inherited.halt is not None:
            self._halt = inherited.halt
            self.halt(inherited.halt.problem, is_gap=inherited.halt.is_gap, skip_to=inherited.halt.skip_to)
        applied = accepted(inherited.halt, inherited.next_offset, self._lost_below)
        self._resumed = self._lost_below = None
        if applied > inherited.end_offset and not self._ended:
            self.halt(lost_tail(inherited.end_offset, applied), is_gap=True, skip_to=inherited.end_offset)
        return applied

    async def _wait_for_resume(self) -> None:
        """Wait until an operator says that it is to go on, then until its records are fetched anew.

        What was fetched is dropped: where it goes on, records are read again.
        """
        self._batch, self._buried_in_a_row = [], 0
        self._quiet.set()
        try:
            self.restart = await self._told_to_go_on()
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

    async def _told_to_go_on(self) -> Start | None:
        while not self._stopping.is_set():
            try:
                if self._halt is None:
                    self._halt = await self._handler.stop(
                        self.problem or "", is_gap=self._is_gap, skip_to=self._skip_to
                    )
                start = await self._handler.told(self._halt)
            except TransientError as error:
                _log.warning("halt_not_noted", partition=self.name, error=str(error))
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
        """Fill an empty batch once it has a slot: what arrives while it waits for one makes it larger."""
        if not batch:
            if self._ended:
                raise Abandoned
            self._quiet.clear()
            size = self._careful.caution.share(self._inbox, self._max_batch)
            batch.extend(self._inbox.popleft() for _ in range(size))
        return batch

    async def _yield_ownership(self, fenced: Fenced) -> None:
        """Let the other owner go on; take the partition back if the group still says that it is ours.

        A process that was frozen may raise the epoch before it learns that it was evicted: the rightful owner
        must not stay away for ever. Taking turns is harmless: what the other has applied is looked up first.
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
            applied = await self._until_done(lambda: self._careful.handle(self._filled(batch)))
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
                applied = await self._until_done(lambda: self._careful.handle(batch))
            except (Fenced, Abandoned):
                raise
            except Exception as again:  # noqa: BLE001  # as above
                error = again
            else:
                self._passed(batch, applied=applied)
                return
        await self._bury(batch[0], error, attempts)
        self._passed(batch, applied=False)

    def _passed(self, records: list[Record], *, applied: bool) -> None:
        """Advance: the first records of the batch are applied or dead-lettered, and need not come again."""
        if applied:
            self._buried_in_a_row = 0
        self.done = records[-1].offset + 1
        self._careful.caution.passed(records[-1].offset)
        del self._batch[: len(records)]

    async def _bury(self, record: Record, error: Exception, attempts: int) -> None:
        self._buried_in_a_row += 1
        if self._buried_in_a_row > MAX_CONSECUTIVE_DEAD_LETTERS:
            raise Halted(f"{MAX_CONSECUTIVE_DEAD_LETTERS} dead letters in a row, the last: {error}")
        letter = letter_of(record, error, attempts)
        try:
            await self._until_done(lambda: self._careful.bury(letter))
        except (Fenced, Abandoned):
            raise
        except Exception as bug:  # the next process would end at the same record
            problem = f"offset {record.offset} can be neither applied nor buried: {bug!r}"
            raise Halted(problem, record.offset + 1) from bug
        told = {"offset": record.offset, "reason": letter.reason, "error": letter.error}
        _log.error("dead_letter", partition=self.name, **told)

    async def _until_done(self, step: Callable[[], Awaitable[T]]) -> T:
        attempts = 0
        before = self.state
        while True:
            self.last_activity = time.monotonic()
            try:
                # Held for the step only: a partition that waits for its next try must not stop others.
                async with self._slots.for_batch(len(self._batch or self._inbox)):
                    result = await step()
            except TransientError as error:
                if self._ended:
                    raise Abandoned from error
                attempts += 1
                self._enter(State.RETRYING, str(error))
                _log.warning("batch_retried", partition=self.name, attempts=attempts, error=str(error))
                await self._rest(pause_s(attempts))
            else:
                self._enter(before)
                return result

    async def _rest(self, pause_s: float) -> None:
        """Pause before the next try; there is none once the end has come, it may take too long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause_s)
            raise Abandoned

    def _enter(self, state: State, problem: str | None = None) -> None:
        """Change the state; a worker that was halted in the middle of its work stays halted."""
        if self.state is not State.HALTED:
            self.state = state
            self.problem = problem
