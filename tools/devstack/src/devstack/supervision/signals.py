"""SIGINT, SIGTERM and SIGHUP as a request to stop; a second one forces it."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Self

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Owner of the process's stop signals while its block runs, in the main thread's event loop."""

    def __init__(self, *, on_second: Callable[[], None]) -> None:
        self._on_second = on_second
        self._asked = asyncio.Event()

    def __enter__(self) -> Self:
        """Install the handlers."""
        for number in _STOPPING:
            asyncio.get_running_loop().add_signal_handler(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the handlers."""
        for number in _STOPPING:
            asyncio.get_running_loop().remove_signal_handler(number)

    async def run_until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until it ends, or cancel it when a stop is requested; raises what it raises."""
        task = asyncio.create_task(work)
        asked = asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait((task, asked), return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            task.cancel()  # no effect on one that has ended
            with suppress(asyncio.CancelledError):
                await task

    def _receive(self) -> None:
        if self._asked.is_set():
            self._on_second()
        self._asked.set()
