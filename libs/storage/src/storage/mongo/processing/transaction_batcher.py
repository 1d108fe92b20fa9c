"""Group commit: small batch writes of several partitions share a transaction, most of their cost."""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence

from domain.errors import TransientError
from storage.mongo.processing.transaction_writer import BatchWrite, TransactionAborted

Write = Callable[[Sequence[BatchWrite]], Awaitable[None]]
"""Writes batches of different partitions, all of them or none."""

_Member = tuple[BatchWrite, asyncio.Future[None]]


class TransactionBatcher:
    """Collects the batch writes that arrive while a transaction is in flight into the next transaction.

    Transactions grow with the load, and a batch write that arrives alone is written at once. One that fails
    must not stop the others: if a transaction fails because of its content, each batch write is written again
    in a transaction of its own, so that each owner gets its own error.
    """

    def __init__(self, write: Write) -> None:
        self._write_all = write
        self._waiting: list[_Member] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, batch_write: BatchWrite) -> None:
        """Write a batch, perhaps with others. Cancellation does not undo a transaction in flight.

        Raises:
            Exception: the error of the write, as if it were alone.
        """
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((batch_write, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting(), name="transaction-batcher")
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
            await self._write_all([batch_write for batch_write, _ in members])
        except BaseException as error:
            if len(members) > 1 and _may_be_of_one_write(error):
                for member in members:
                    await self._write_together(_awaited([member]))
                return
            for _, written in _awaited(members):
                written.set_exception(copy.copy(error))  # each has a traceback of its own
            if not isinstance(error, Exception):
                raise
        else:
            for _, written in _awaited(members):
                written.set_result(None)


def _awaited(members: Sequence[_Member]) -> list[_Member]:
    """Leave out cancelled members: their owner has gone, and another one may write by now."""
    return [member for member in members if not member[1].done()]


def _may_be_of_one_write(error: BaseException) -> bool:
    """Return True if one of the batch writes may be the cause, not the server or the end of this process."""
    if isinstance(error, TransientError):
        return isinstance(error, TransactionAborted)
    return isinstance(error, Exception)
