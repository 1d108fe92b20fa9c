"""Retrying in place: the same step again, after a growing pause, for as long as it takes."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TypeVar

import structlog

from domain.errors import TransientError
from messaging.consumer.worker.worker_states import Abandoned, State, pause_s
from messaging.consumer.worker.worker_status import WorkerStatus

_log = structlog.get_logger(__name__)

T = TypeVar("T")


class Retrier:
    """Retries the steps of one worker."""

    def __init__(
        self,
        status: WorkerStatus,
        slot: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        """Create a retrier.

        Args:
            status: of the worker.
            slot: returns what is held during an attempt.
        """
        self._status = status
        self._slot = slot

    async def until_done(self, step: Callable[[], Awaitable[T]]) -> T:
        """Run a step until it raises no `TransientError`; return its result.

        Raises:
            Abandoned: it failed, and the worker has been stopped or halted meanwhile.
        """
        status = self._status
        attempts = 0
        before = status.state
        while True:
            status.begin_attempt()
            try:
                # Held for the step only: a partition that waits to retry must not block others.
                async with self._slot():
                    result = await step()
            except TransientError as error:
                if status.has_ended:
                    raise Abandoned from error
                attempts += 1
                status.enter(State.RETRYING, str(error))
                if error.look_again_s is None or attempts == 1:
                    _log.warning("batch_retried", partition=status.name, attempts=attempts, error=str(error))
                if await status.stopped_within(error.look_again_s or pause_s(attempts)):
                    raise Abandoned from error
            else:
                status.enter(before)
                return result
