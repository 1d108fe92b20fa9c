"""One partition's worker: takes what has arrived, hands it to the handler in order, retries in place.

It knows nothing of shipments. What a handler may raise, and what follows:

- `TransientError`: the same batch again, after a growing pause, for as long as it takes. Never a dead letter.
- `Fenced`: another owner has the partition; the worker stands back, then takes it over anew if it is
  still assigned.
- anything else: some record breaks the code. The batch is halved until the record stands alone; it is tried
  `MAX_ATTEMPTS` times (once, if it is a `PoisonRecord`), then buried. Too many burials in a row stop the
  partition instead: a bad deploy must not empty the topic into the dead letters. So does a record that cannot
  even be buried.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Final, Protocol

import structlog

from domain.errors import Fenced, PoisonRecord, TransientError
from domain.ports import EndOffset
from messaging.dead_letters import DeadLetter, Record

MAX_ATTEMPTS: Final = 5
MAX_BURIED_IN_A_ROW: Final = 100
FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 5.0
STAND_BACK_S: Final = 1.0

_log = structlog.get_logger(__name__)


class PartitionHandler(Protocol):
    """What is done with the records of one partition, from its assignment to its end."""

    async def open(self, end_offset: EndOffset) -> None:
        """Take the partition over; called until it succeeds, before any record is handled.

        Args:
            end_offset: asks where the log ends; may raise `TransientError`.
        """

    async def handle(self, records: Sequence[Record]) -> None:
        """Apply records, given in offset order; on return all effects are durable and may be committed.

        Called again with the same records, or a part of them, after it raised.
        """

    async def bury(self, letter: DeadLetter) -> None:
        """Keep a record that will not be tried again; on return it is durable."""


class State(StrEnum):
    """What a worker is doing."""

    OPENING = "opening"
    RUNNING = "running"
    RETRYING = "retrying"
    HALTED = "halted"
    LOST = "lost"


class PartitionWorker:
    """Runs one partition. `done` is the offset up to which everything is applied: what may be committed."""

    def __init__(
        self, name: str, handler: PartitionHandler, *, max_batch: int, slots: asyncio.Semaphore
    ) -> None:
        self.name = name
        self.done: int | None = None
        self.state = State.OPENING
        self.problem: str | None = None
        self.last_activity = time.monotonic()
        self._handler = handler
        self._max_batch = max_batch
        self._slots = slots
        self._inbox: deque[Record] = deque()
        self._batch: list[Record] = []
        self._arrived = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._stopping = False
        self._buried_in_a_row = 0

    @property
    def has_room(self) -> bool:
        """Whether more records should be fetched: beside the batch in work, one more waits."""
        return self.state is not State.HALTED and len(self._inbox) < self._max_batch

    @property
    def is_busy(self) -> bool:
        """Whether records wait or are being handled."""
        return bool(self._inbox or self._batch)

    def put(self, records: Sequence[Record]) -> None:
        """Take in records, to be handled after those that wait already."""
        self._inbox.extend(records)
        self._arrived.set()

    def halt(self, problem: str) -> None:
        """Stop handling: an operator must look at it. The partition stays assigned, nothing is committed."""
        _log.error("partition_halted", partition=self.name, problem=problem)
        self.state = State.HALTED
        self.problem = problem
        self._inbox.clear()
        self._arrived.set()

    async def drain(self) -> None:
        """Take no new batch; return when the one in work is done, or will not be."""
        self._stopping = True
        self._arrived.set()
        await self._quiet.wait()

    async def run(self, end_offset: EndOffset) -> None:
        """Handle records until cancelled, drained or halted.

        Args:
            end_offset: asks where the log ends; may raise `TransientError`.
        """
        try:
            while not self._ended:
                try:
                    await self._serve(end_offset)
                except Fenced as fenced:
                    await self._stand_back(fenced)
        except _Halted as halted:
            self.halt(str(halted))
        except _Abandoned:
            _log.info("batch_abandoned", partition=self.name)
        finally:
            self._quiet.set()

    @property
    def _ended(self) -> bool:
        return self._stopping or self.state is State.HALTED

    async def _serve(self, end_offset: EndOffset) -> None:
        await self._until_done(lambda: self._handler.open(end_offset))
        self._enter(State.RUNNING)
        while await self._some_arrived():
            await self._apply(self._batch)
            self.done = self._batch[-1].offset + 1
            self._batch = []
            self._quiet.set()

    async def _some_arrived(self) -> bool:
        while not self._inbox and not self._ended:
            self._arrived.clear()
            await self._arrived.wait()
        return not self._ended

    def _filled(self, batch: list[Record]) -> list[Record]:
        """Fill an empty batch once it has a slot: what arrives while it waits for one makes it larger."""
        if not batch:
            if self._ended:
                raise _Abandoned
            self._quiet.clear()
            batch.extend(self._inbox.popleft() for _ in range(min(len(self._inbox), self._max_batch)))
        return batch

    async def _stand_back(self, fenced: Fenced) -> None:
        """Let the other owner go on; take the partition back if the group still says that it is ours.

        A process that was frozen may raise the epoch before it learns that it was evicted: the rightful owner
        must not stay away for ever. Taking turns is harmless: what the other has applied is looked up first.
        """
        _log.warning("partition_lost", partition=self.name, error=str(fenced))
        self._enter(State.LOST, str(fenced))
        self._inbox.extendleft(reversed(self._batch))
        self._batch = []
        self._quiet.set()
        await asyncio.sleep(random.uniform(STAND_BACK_S, 2 * STAND_BACK_S))  # noqa: S311  # jitter

    async def _apply(self, batch: list[Record]) -> None:
        try:
            await self._until_done(lambda: self._handler.handle(self._filled(batch)))
        except (Fenced, _Abandoned):
            raise
        except Exception as error:  # noqa: BLE001  # top of the loop: one record must not stop the others
            await self._isolate(batch, error)
        else:
            self._buried_in_a_row = 0

    async def _isolate(self, batch: list[Record], error: Exception) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._apply(batch[:middle])
            await self._apply(batch[middle:])
            return
        attempts = 1
        while attempts < MAX_ATTEMPTS and not isinstance(error, PoisonRecord):
            await asyncio.sleep(_pause_s(attempts))
            attempts += 1
            try:
                await self._until_done(lambda: self._handler.handle(batch))
            except (Fenced, _Abandoned):
                raise
            except Exception as again:  # noqa: BLE001  # as above
                error = again
            else:
                self._buried_in_a_row = 0
                return
        await self._bury(batch[0], error, attempts)

    async def _bury(self, record: Record, error: Exception, attempts: int) -> None:
        self._buried_in_a_row += 1
        if self._buried_in_a_row > MAX_BURIED_IN_A_ROW:
            raise _Halted(f"{MAX_BURIED_IN_A_ROW} dead letters in a row, the last: {error}")
        reason = "unreadable" if isinstance(error, PoisonRecord) else "unprocessable"
        said = str(error) if isinstance(error, PoisonRecord) else f"{type(error).__name__}: {error}"
        letter = DeadLetter(record, reason, said, attempts)
        try:
            await self._until_done(lambda: self._handler.bury(letter))
        except (Fenced, _Abandoned):
            raise
        except Exception as bug:  # the next process would end at the same record
            raise _Halted(f"offset {record.offset} can be neither applied nor buried: {bug!r}") from bug
        _log.error("dead_letter", partition=self.name, offset=record.offset, reason=reason, error=said)

    async def _until_done(self, step: Callable[[], Awaitable[None]]) -> None:
        attempts = 0
        before = self.state
        while True:
            self.last_activity = time.monotonic()
            try:
                # Held for the step only: a partition that waits for its next try must not stop others.
                async with self._slots:
                    await step()
            except TransientError as error:
                if self._ended:
                    raise _Abandoned from error
                attempts += 1
                self._enter(State.RETRYING, str(error))
                _log.warning("batch_retried", partition=self.name, attempts=attempts, error=str(error))
                await asyncio.sleep(_pause_s(attempts))
            else:
                self._enter(before)
                return

    def _enter(self, state: State, problem: str | None = None) -> None:
        """Change the state; a worker that was halted in the middle of its work stays halted."""
        if self.state is not State.HALTED:
            self.state = state
            self.problem = problem


class _Halted(Exception):
    """Too many dead letters, or one that cannot be kept: stop the line."""


class _Abandoned(Exception):
    """The end comes while a batch waits for its next attempt: it is not done, and will be redelivered."""


def _pause_s(attempts: int) -> float:
    """Half fixed, half jitter over an exponential pause, so that partitions do not knock in step."""
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(attempts, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311  # jitter, not a secret
