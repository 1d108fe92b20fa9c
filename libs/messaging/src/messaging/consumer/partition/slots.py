"""Slots of large batches, and turns of small ones, over all partitions of a process."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext

Turn = Callable[[], Awaitable[object]]


async def at_once() -> None:
    """Let a small batch begin at once."""


class Slots:
    """A semaphore for large batches: fewer at once make larger ones. Small ones have turns instead."""

    def __init__(self, count: int, *, large_batch: int, turn: Turn = at_once) -> None:
        """Create the slots.

        Args:
            count: large batches in flight at once.
            large_batch: records of a batch that needs a slot.
            turn: returns when a small batch should begin.
        """
        self._slots = asyncio.Semaphore(count)
        self._large_batch = large_batch
        self._turn = turn

    def for_batch(self, records: int) -> AbstractAsyncContextManager[None]:
        """Return the slot of a batch with `records` records, to be held while it is in flight."""
        return self._slots if records >= self._large_batch else nullcontext()

    async def turn(self, records: int, *, most: int) -> int:
        """Wait for the turn of a batch; return how many records it may have by then: without a slot, few."""
        if records >= self._large_batch:
            return most
        await self._turn()
        return min(most, self._large_batch - 1)
