"""Quarantined shipments, cached by this process."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import structlog

from domain.errors import TransientError
from domain.ports.partitions import QuarantineStore
from servicekit.background_tasks import in_background

REFRESH_EVERY_S: Final = 2.0

_log = structlog.get_logger(__name__)


class Quarantine:
    """Reasons of quarantined shipments, by record key. While the store is away, the last list holds."""

    def __init__(self, store: QuarantineStore) -> None:
        self.reasons: Mapping[bytes, str] = {}
        self._store = store

    async def refresh(self) -> None:
        """Reload from the store: shipments quarantined before the call are known after it.

        Raises:
            StoreUnavailable: the store did not respond; the last list holds.
        """
        entries = await self._store.entries()
        self.reasons = {entry.tracking_number.encode(): entry.reason for entry in entries}

    @asynccontextmanager
    async def refreshed_regularly(self) -> AsyncIterator[None]:
        """Refresh regularly while the context lasts."""
        async with in_background(self._refresh_regularly(), name="quarantine"):
            yield

    async def _refresh_regularly(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_EVERY_S)
            try:
                await self.refresh()
            except TransientError as error:
                _log.warning("quarantine_not_refreshed", error=str(error))
