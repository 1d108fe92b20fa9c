"""Bounded concurrency."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


async def for_each(
    items: Iterable[Item], work: Callable[[Item], Awaitable[object]], *, at_once: int = 32
) -> None:
    """Await `work` for every item, taken in order, `at_once` at a time; the first failure ends it all."""
    queue = iter(items)
    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(at_once):
                workers.create_task(_empty(queue, work))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _empty(queue: Iterator[Item], work: Callable[[Item], Awaitable[object]]) -> None:
    for item in queue:
        await work(item)
