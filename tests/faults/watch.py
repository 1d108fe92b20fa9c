"""Measured recovery time: shipments are registered all the time, each timed until all of it worked."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from domain.shipments.event_identity import creation_event_id
from domain.shipments.tracking_number import TrackingNumber, derive_tracking_number
from tests.e2e.traffic import shipment_body
from tests.faults.ledger import Ledger
from tests.faults.load import USER, Caller, Load
from tests.support.api import Api

RECOVERED_WITHIN_S: Final = 90.0
IN_A_ROW: Final = 3
_EVERY_S: Final = 0.1
_PATIENCE_S: Final = 10.0


@dataclass(slots=True)
class Watch:
    """Probe that registers one shipment after the other, waits until each is applied, and reads it."""

    admin: Api
    ledger: Ledger
    keys: str
    _begun: list[float] = field(default_factory=list)
    _stopping: bool = False

    async def run(self) -> None:
        """Repeat until `stop`."""
        turn = 0
        while not self._stopping:
            started = time.monotonic()
            if await self._works(f"{self.keys}-watch-{turn}"):
                self._begun.append(started)
            else:
                self._begun.clear()
            turn += 1
            await asyncio.sleep(_EVERY_S)

    def stop(self) -> None:
        """Let the probe in progress be the last."""
        self._stopping = True

    async def recovered(self, since: float) -> float | None:
        """Wait until `IN_A_ROW` probes begun after `since` have succeeded; return when, None if never."""
        while sum(begun >= since for begun in self._begun[-IN_A_ROW:]) < IN_A_ROW:
            if time.monotonic() - since > RECOVERED_WITHIN_S:
                return None
            await asyncio.sleep(_EVERY_S / 2)
        return time.monotonic()

    async def _works(self, key: str) -> bool:
        number = derive_tracking_number(USER, key, 0)
        response = await Caller(self.admin, self.ledger, _PATIENCE_S).post(
            "/shipments", shipment_body(), [creation_event_id(number)], {"Idempotency-Key": key}
        )
        return response is not None and response.status == 201 and await self._is_shown(number)

    async def _is_shown(self, number: TrackingNumber) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return (await self.admin.get(f"/shipments/{number}")).status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


@asynccontextmanager
async def sending(load: Load) -> AsyncIterator[Watch]:
    """Send, and watch, while the context lasts; calls in progress at the end are finished."""
    watch = Watch(load.admin, load.ledger, load.keys)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run())
        tasks.create_task(watch.run())
        yield watch
        watch.stop()
        load.stopping.set()
