"""Background tasks and their cancellation."""

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator, Collection, Coroutine
from typing import Any, Final

CANCEL_AGAIN_S: Final = 0.5


@contextlib.asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None], *, name: str) -> AsyncIterator[None]:
    """Run `work` while the context lasts; at exit, cancel it until it has ended."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        await cancel_all((task,))
        if not task.cancelled():
            task.result()


async def cancel_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they have ended; what they raise stays in them.

    Cancelling once is not enough: before Python 3.12 `asyncio.wait_for`, which redis-py and aiokafka call,
    swallows a cancellation that coincides with the end of its awaitable (python/cpython#86296). The task
    would run for ever, and its process would not stop.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


def copy_of(error: BaseException) -> BaseException:
    """Return an error for one of several who wait, with a traceback of its own if it can be copied."""
    try:
        return copy.copy(error)
    except Exception:  # noqa: BLE001  # it is made from more than its arguments
        return error
