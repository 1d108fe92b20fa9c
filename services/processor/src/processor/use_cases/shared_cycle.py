"""One cycle for the small batches of a process's partitions (ADR 0030)."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from domain.errors import CommitUnknown, TransactionAborted, TransientError
from processor.use_cases.partition_batch import PartitionBatch
from servicekit.background_tasks import copy_of

LONGEST_PUBLICATION_S: Final = 0.05
"""How long a cycle waits for what its members publish: one that takes longer must not delay the others."""


class Applier(Protocol):
    """The steps of a cycle."""

    async def write(self, batches: Sequence[PartitionBatch]) -> None:
        """Judge batches of different partitions and write all of them or none."""

    async def give_hints(self, batches: Sequence[PartitionBatch]) -> None:
        """Tell those of written batches who can do without; never raises."""

    async def publish(self, batch: PartitionBatch) -> None:
        """Publish a written batch."""


class _Member(NamedTuple):
    """A batch in a cycle.

    Attributes:
        written: set once it is written, to the task that gives hints of it.
        left: set when its owner waits no more.
    """

    batch: PartitionBatch
    written: asyncio.Future[asyncio.Task[None]]
    left: asyncio.Future[None]


class SharedCycle:
    """Applies what waits in all partitions together; what comes meanwhile shares the next cycle.

    A cycle costs little more for twenty records than for one, so cycles grow with the load, and a batch that
    arrives alone is applied at once. One that fails must not stop the others: if it may be the reason why
    nothing was written, each is written alone, so that each owner gets its own error. Each owner publishes
    its own batch.
    """

    def __init__(self) -> None:
        self._waiting: list[_Member] = []
        self._running: asyncio.Task[None] | None = None
        self._is_free = asyncio.Event()
        self._is_free.set()

    async def turn(self) -> None:
        """Wait until no cycle is in flight: a batch that is filled then shares the next one."""
        await self._is_free.wait()

    async def run(self, batch: PartitionBatch, applier: Applier) -> None:
        """Apply a batch, perhaps with others. Cancellation does not undo a transaction in flight.

        Raises:
            Exception: the error of the batch, as if it were alone.
        """
        loop = asyncio.get_running_loop()
        member = _Member(batch, loop.create_future(), loop.create_future())
        self._waiting.append(member)
        if self._running is None:
            self._running = asyncio.create_task(self._run_waiting(applier), name="shared-cycle")
        try:
            hints = await member.written
            await applier.publish(batch)
            await asyncio.shield(hints)
        finally:
            member.left.set_result(None)

    async def _run_waiting(self, applier: Applier) -> None:
        members: Sequence[_Member] = ()
        try:
            while self._waiting:
                members, self._waiting = self._waiting, []
                self._is_free.clear()
                await self._write(members, applier)
                await _publication(members)
                self._is_free.set()
                await asyncio.sleep(0)  # those whose turn it is fill their batches
        finally:
            self._running = None
            self._is_free.set()
            _fail([*members, *self._waiting], CommitUnknown("the cycle has ended"))

    async def _write(self, members: Sequence[_Member], applier: Applier) -> None:
        """Write members together, or else each alone; each learns at once whether it is written."""
        members = _awaited(members)
        if not members:
            return
        batches = [member.batch for member in members]
        try:
            await applier.write(batches)
        except asyncio.CancelledError:
            raise  # this task is to end: nobody asked the members to
        except BaseException as error:
            if len(members) > 1 and _may_be_of_one(error):
                await self._write_each(members, applier)
                return
            _fail(members, error)
            if not isinstance(error, Exception):
                raise
        else:
            hints = asyncio.create_task(applier.give_hints(batches))
            for member in _awaited(members):
                member.written.set_result(hints)

    async def _write_each(self, members: Sequence[_Member], applier: Applier) -> None:
        """Write each alone; after an error of no single member none is tried any more."""
        for member in members:
            await self._write([member], applier)
            error = None if member.written.cancelled() else member.written.exception()
            if error is not None and not _may_be_of_one(error):
                _fail(members, error)
                return


async def _publication(members: Sequence[_Member]) -> None:
    """Wait for members to publish what is written, but not for long."""
    if members:
        await asyncio.wait([member.left for member in members], timeout=LONGEST_PUBLICATION_S)


def _fail(members: Sequence[_Member], error: BaseException) -> None:
    for member in _awaited(members):
        member.written.set_exception(copy_of(error))


def _awaited(members: Sequence[_Member]) -> list[_Member]:
    """Leave out cancelled members: their owner has gone, and another one may write by now."""
    return [member for member in members if not member.written.done()]


def _may_be_of_one(error: BaseException) -> bool:
    """Return True if one of the batches may be the reason, not the server or the end of this process."""
    if isinstance(error, TransientError):
        return isinstance(error, TransactionAborted)
    return isinstance(error, Exception)
