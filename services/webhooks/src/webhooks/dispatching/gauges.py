"""Gauges of what the database holds, read in every replica."""

import asyncio
import contextlib
from typing import Final

import structlog

from domain.errors import StoreUnavailable
from domain.ports.core import Clock
from webhooks.metrics import WebhookMetrics
from webhooks.stores.overview import MongoOverview

_log = structlog.get_logger(__name__)

READ_S: Final = 10.0


class Gauges:
    """Reads totals for the metrics until stopped."""

    def __init__(self, overview: MongoOverview, metrics: WebhookMetrics, clock: Clock) -> None:
        self._overview = overview
        self._metrics = metrics
        self._clock = clock
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End `run` soon."""
        self._stopping.set()

    async def run(self) -> None:
        """Read totals until stopped; those that cannot be read are unknown."""
        while not self._stopping.is_set():
            try:
                now = self._clock.now()
                self._metrics.show(await self._overview.endpoints(), await self._overview.oldest_due_s(now))
            except StoreUnavailable as error:
                _log.warning("webhook_totals_unknown", error=str(error))
                self._metrics.show_unknown()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(READ_S):
                    await self._stopping.wait()
