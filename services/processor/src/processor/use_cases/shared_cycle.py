"""One cycle for the small batches of a process's partitions (ADR 0030)."""

import asyncio
import copy
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from domain.errors import TransactionAborted, TransientError
from processor.use_cases.partition_batch import PartitionBatch

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
        try:
            while self._waiting:
                members, self._waiting = self._waiting, []
                self._is_free.clear()
                await self._let_publish(await self._write(members, applier), applier)
                self._is_free.set()
                await asyncio.sleep(0)  # those whose turn it is fill their batches
        finally:
            self._running = None
            self._is_free.set()
            for member in self._waiting:
                member.written.cancel()

    async def _write(self, members: Sequence[_Member], applier: Applier) -> Sequence[_Member]:
        """Write members together, or else each alone; return those that are written."""
        members = _awaited(members)
        if not members:
            return ()
        try:
            await applier.write([member.batch for member in members])
        except BaseException as error:
            if len(members) > 1 and _may_be_of_one(error):
                return [written for each in members for written in await self._write([each], applier)]
            for member in _awaited(members):
                member.written.set_exception(copy.copy(error))  # each has a traceback of its own
            if not isinstance(error, Exception):
                raise
            return ()
        return members

    async def _let_publish(self, members: Sequence[_Member], applier: Applier) -> None:
        members = _awaited(members)
        if not members:
            return
        hints = asyncio.create_task(applier.give_hints([member.batch for member in members]))
        for member in members:
            member.written.set_result(hints)
        await asyncio.wait([member.left for member in members], timeout=LONGEST_PUBLICATION_S)


def _awaited(members: Sequence[_Member]) -> list[_Member]:
    """Leave out cancelled members: their owner has gone, and another one may write by now."""
    return [member for member in members if not member.written.done()]


def _may_be_of_one(error: BaseException) -> bool:
    """Return True if one of the batches may be the reason, not the server or the end of this process."""
    if isinstance(error, TransientError):
        return isinstance(error, TransactionAborted)
    return isinstance(error, Exception)
