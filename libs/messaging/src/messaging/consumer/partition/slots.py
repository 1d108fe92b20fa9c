"""Slots: the limit of large batches in flight, over all partitions of a process."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext


class Slots:
    """A semaphore for large batches: fewer at once make larger ones. Small ones need no slot."""

    def __init__(self, count: int, *, large_batch: int) -> None:
        """Create the slots.

        Args:
            count: large batches in flight at once.
            large_batch: records of a batch that needs a slot.
        """
        self._slots = asyncio.Semaphore(count)
        self._large_batch = large_batch

    def for_batch(self, records: int) -> AbstractAsyncContextManager[None]:
        """Return the slot of a batch with `records` records, to be held while it is in flight."""
        return self._slots if records >= self._large_batch else nullcontext()
