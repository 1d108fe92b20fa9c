"""The state of a worker, and the signals that wake and stop it."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from messaging.consumer.worker.worker_states import State

_STUCK: Final = (State.RETRYING, State.HALTED, State.LOST)


class WorkerStatus:
    """The state of a worker. Its parts change it, and wait here for what concerns them.

    Attributes:
        name: of the partition, `topic/number`.
        state: once halted, it stays halted until `resume`.
        problem: why the worker does not run; None if nothing is wrong.
        last_activity: when the last attempt at anything began, in seconds of the monotonic clock.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = State.OPENING
        self.problem: str | None = None
        self.last_activity = time.monotonic()
        self._stopping, self._woken = asyncio.Event(), asyncio.Event()

    @property
    def is_halted(self) -> bool:
        """True until it is resumed."""
        return self.state is State.HALTED

    @property
    def is_stuck(self) -> bool:
        """True while no more records are of use."""
        return self.state in _STUCK

    @property
    def is_stopping(self) -> bool:
        """True from `stop` on."""
        return self._stopping.is_set()

    @property
    def has_ended(self) -> bool:
        """True if no new batch may begin."""
        return self.is_stopping or self.is_halted

    def enter(self, state: State, problem: str | None = None) -> None:
        """Change the state; a worker that was halted meanwhile stays halted."""
        if not self.is_halted:
            self.state = state
            self.problem = problem

    def halt(self, problem: str) -> None:
        """Halt until `resume`."""
        self.state, self.problem = State.HALTED, problem
        self.wake()

    def resume(self) -> None:
        """End a halt: the partition is opened again."""
        self.state, self.problem = State.OPENING, None

    def begin_attempt(self) -> None:
        """Record that the worker is active."""
        self.last_activity = time.monotonic()

    def stop(self) -> None:
        """Start no new batch from here on."""
        self._stopping.set()
        self.wake()

    def wake(self) -> None:
        """Let a waiting worker look again."""
        self._woken.set()

    async def until(self, condition: Callable[[], bool]) -> bool:
        """Wait until a condition holds, checked whenever the worker is woken; False: the worker has ended."""
        while not (condition() or self.has_ended):
            self._woken.clear()
            await self._woken.wait()
        return not self.has_ended

    async def woken_within(self, seconds: float) -> None:
        """Wait until the worker is woken or stopped, or for these seconds."""
        self._woken.clear()
        if not self.is_stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), seconds)

    async def stopped_within(self, seconds: float) -> bool:
        """Wait for these seconds; True at once when the worker is stopped."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self.is_stopping
