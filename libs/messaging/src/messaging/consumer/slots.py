"""Slots: how many batches are in work at once, over all partitions of a process."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext


class Slots:
    """Makes large batches take turns: fewer at once make larger ones. Small ones need no turn."""

    def __init__(self, count: int, *, large_batch: int) -> None:
        """Tell how many there are.

        Args:
            count: large batches in work at once.
            large_batch: records of a batch that waits for its turn.
        """
        self._turns = asyncio.Semaphore(count)
        self._large_batch = large_batch

    def for_batch(self, records: int) -> AbstractAsyncContextManager[None]:
        """Give the turn of a batch with so many records, to be held while it is in work."""
        return self._turns if records >= self._large_batch else nullcontext()
