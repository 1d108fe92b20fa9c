"""Recording of results: those of all lanes together, as many as have come while the last were written."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from domain.errors import StoreUnavailable
from domain.values import value
from webhooks.stores.due import MongoDueDeliveries, Result

_log = structlog.get_logger(__name__)

_MOST_AT_ONCE: Final = 500
_RETRY_S: Final = 0.5


@value()
class _Waiting:
    result: Result
    is_valid: Callable[[], bool]
    on_end: Callable[[Result], None]


class ResultWriter:
    """Writes results of attempts, as long as who made them may."""

    def __init__(self, deliveries: MongoDueDeliveries) -> None:
        self._deliveries = deliveries
        self._waiting: list[_Waiting] = []
        self._filled = asyncio.Event()

    def add(self, result: Result, *, is_valid: Callable[[], bool], on_end: Callable[[Result], None]) -> None:
        """Write a result soon.

        Args:
            result: of an attempt that has ended.
            is_valid: asked before it is written; it is dropped if it is not valid any more.
            on_end: called when it is written, or dropped.
        """
        self._waiting.append(_Waiting(result, is_valid, on_end))
        self._filled.set()

    async def run(self) -> None:
        """Write results until cancelled."""
        while True:
            await self._filled.wait()
            await self._write(self._take())  # nothing is kept of them while this waits for others

    def _take(self) -> Sequence[_Waiting]:
        taken, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
        if not self._waiting:
            self._filled.clear()
        return taken

    async def _write(self, taken: Sequence[_Waiting]) -> None:
        while valid := [each.result for each in taken if each.is_valid()]:
            try:
                await self._deliveries.record(valid)
            except StoreUnavailable as error:
                _log.warning("webhook_results_not_recorded", results=len(valid), error=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                break
        for each in taken:
            each.on_end(each.result)
