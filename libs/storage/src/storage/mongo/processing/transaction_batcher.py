"""Small moves of several partitions go into one transaction, which is most of what a small one costs."""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence

from domain.errors import TransientError
from storage.mongo.processing.transaction_writer import BatchWrite, TransactionAborted

Write = Callable[[Sequence[BatchWrite]], Awaitable[None]]
"""Writes moves of different partitions, all of them or none."""

_Member = tuple[BatchWrite, asyncio.Future[None]]


class TransactionBatcher:
    """Writes what comes while the last transaction is under way in the next one.

    A transaction is as large as the load is high, and a move that comes alone is written at once. One that
    does not hold must not stop the others: a transaction that fails by what is in it is written again move by
    move, so that each owner is told what is wrong with its own.
    """

    def __init__(self, write: Write) -> None:
        self._write_all = write
        self._waiting: list[_Member] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, move: BatchWrite) -> None:
        """Write a move, with others perhaps. To be cancelled does not take back what has begun.

        Raises:
            Exception: as writing it alone does.
        """
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((move, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting(), name="joined-moves")
        await written

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                members, self._waiting = self._waiting, []
                await self._write_together(_awaited(members))
        finally:
            self._writing = None
            for _, written in self._waiting:
                written.cancel()

    async def _write_together(self, members: Sequence[_Member]) -> None:
        if not members:
            return
        try:
            await self._write_all([move for move, _ in members])
        except BaseException as error:
            if len(members) > 1 and _is_of_one(error):
                for member in members:
                    await self._write_together(_awaited([member]))
                return
            for _, written in _awaited(members):
                written.set_exception(copy.copy(error))  # each one's traceback is its own
            if not isinstance(error, Exception):
                raise
        else:
            for _, written in _awaited(members):
                written.set_result(None)


def _awaited(members: Sequence[_Member]) -> list[_Member]:
    """Leave out those that were cancelled: their owner has gone, and another one may write by now."""
    return [member for member in members if not member[1].done()]


def _is_of_one(error: BaseException) -> bool:
    """Say whether one of the moves may be what failed, and not the server, nor something that ends us."""
    if isinstance(error, TransientError):
        return isinstance(error, TransactionAborted)
    return isinstance(error, Exception)
