"""The sweeper: what falls due for a paused endpoint is held, and what a deleted one has left is deleted."""

import asyncio
import contextlib
import time
from typing import Final

import structlog

from domain.errors import StoreUnavailable
from domain.ports.core import Clock
from domain.webhooks.endpoint import EndpointState
from webhooks.metrics import WebhookMetrics
from webhooks.stores.due import MongoDueDeliveries
from webhooks.stores.leases import Lease, MongoLeases
from webhooks.stores.orphans import MongoOrphans

_log = structlog.get_logger(__name__)

SWEEP_S: Final = 1.0
ORPHANS_S: Final = 60.0
_AT_ONCE: Final = 100


class Sweeper:
    """Sweeps until stopped, in every replica: what one has begun and not ended, the next one finds."""

    def __init__(
        self,
        leases: MongoLeases,
        deliveries: MongoDueDeliveries,
        orphans: MongoOrphans,
        metrics: WebhookMetrics,
        clock: Clock,
    ) -> None:
        self._leases = leases
        self._deliveries = deliveries
        self._orphans = orphans
        self._metrics = metrics
        self._clock = clock
        self._orphans_at = time.monotonic()
        self._stopping = asyncio.Event()
        self._looking = asyncio.Event()

    def look_for_orphans(self) -> None:
        """Look for what a deleted endpoint has left now: this replica has deleted one."""
        self._orphans_at = time.monotonic()
        self._looking.set()

    def stop(self) -> None:
        """Begin nothing else; `run` returns soon."""
        self._stopping.set()
        self._looking.set()

    async def run(self) -> None:
        """Sweep until stopped."""
        while not self._stopping.is_set():
            try:
                await self._sweep()
            except StoreUnavailable as error:
                _log.warning("webhook_sweeper_waits", error=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_S):
                    await self._looking.wait()
            self._looking.clear()

    async def _sweep(self) -> None:
        for endpoint_id in await self._leases.free(EndpointState.PAUSED, self._clock.now(), limit=_AT_ONCE):
            lease = await self._leases.acquire(endpoint_id, EndpointState.PAUSED, self._clock.now())
            if lease is not None:
                await self._hold(lease)
        if time.monotonic() >= self._orphans_at:
            self._orphans_at = time.monotonic() + ORPHANS_S
            await self._delete_orphans()

    async def _hold(self, lease: Lease) -> None:
        endpoint_id = lease.endpoint.endpoint_id
        until = time.monotonic() + lease.remaining_s() / 2
        while time.monotonic() < until:
            held = await self._deliveries.hold_due(endpoint_id, self._clock.now())
            self._metrics.count_held(held)
            if not held:
                pending = await self._deliveries.pending(endpoint_id, limit=1)
                next_due_at = pending[0].due_at if pending else None
                if await self._leases.release(
                    lease, work=lease.work, next_due_at=next_due_at, rest_until=lease.rest_until
                ):
                    return
                break
        # There is more: others sweep it too, or this replica again.
        await self._leases.give_up(lease, rest_until=lease.rest_until)

    async def _delete_orphans(self) -> None:
        for endpoint_id in await self._orphans.find():
            deleted = await self._orphans.delete(endpoint_id)
            _log.info("webhook_orphans_deleted", endpoint_id=endpoint_id, deliveries=deleted)
