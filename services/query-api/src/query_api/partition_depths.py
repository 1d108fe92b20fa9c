"""Backlog of each partition, for `GET /partitions`: asked of Kafka at most once a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from domain.errors import StoreUnavailable
from domain.processing.halts import PartitionView
from messaging.backlog import Waiting

REMEMBERED_S: Final = 1.0

_log = structlog.get_logger(__name__)

Depths = Callable[[Sequence[PartitionView]], Awaitable[Mapping[str, Waiting]]]


class LogDepths(Protocol):
    """Depths of the log; see `messaging.backlog.Backlog`."""

    async def depths(self, applied: Mapping[str, int]) -> Mapping[str, Waiting]:
        """Return what waits in each partition."""


class PartitionDepths:
    """Backlog of each partition; nothing is known while Kafka does not respond."""

    def __init__(self, backlog: LogDepths, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._backlog = backlog
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known: Mapping[str, Waiting] = {}
        self._good_until = float("-inf")

    async def of(self, views: Sequence[PartitionView]) -> Mapping[str, Waiting]:
        """Return what waits in each partition, `topic/number`; one that is missing is unknown."""
        async with self._lock:  # concurrent requests share a response
            if self._clock() >= self._good_until:
                self._known = await self._asked({view.name: view.next_offset for view in views})
                self._good_until = self._clock() + REMEMBERED_S
            return self._known

    async def _asked(self, applied: Mapping[str, int]) -> Mapping[str, Waiting]:
        try:
            return await self._backlog.depths(applied)
        except StoreUnavailable as error:
            _log.warning("depths_unknown", error=str(error))
            return {}
