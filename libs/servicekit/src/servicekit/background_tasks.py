"""Tasks in the background, and how they end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final

CANCEL_AGAIN_S: Final = 0.5


@contextlib.asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None], *, name: str) -> AsyncIterator[None]:
    """Run `work` while the context lasts; on leaving, cancel it until it has ended.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which redis-py and aiokafka call, swallows a
    cancellation that meets the end of what it waits for (python/cpython#86296). The task would go on for
    ever, and its process would not stop.
    """
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait((task,), timeout=CANCEL_AGAIN_S)
        if not task.cancelled():
            task.result()
