"""The lane of an endpoint: its due deliveries are attempted while this replica holds its lease."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from domain.errors import StoreUnavailable
from domain.ports.core import Clock
from domain.webhooks.endpoint import PauseReason
from servicekit.background_tasks import in_background
from webhooks.dispatching.attempts import AttemptParts, Attempts
from webhooks.dispatching.backlog import Backlog
from webhooks.dispatching.lease_keeper import LeaseKeeper
from webhooks.dispatching.load import Load
from webhooks.metrics import WebhookMetrics
from webhooks.sending.timing import Timing
from webhooks.stores.due import MongoDueDeliveries
from webhooks.stores.leases import Lease, MongoLeases, Sighting

_log = structlog.get_logger(__name__)

_RETRY_S: Final = 1.0
_AFTER_A_FAULT: Final = timedelta(seconds=60)
"""Rest of an endpoint at which our own code has failed."""
_TURN_S: Final = 5.0
"""Time after which a lane ends if other endpoints wait for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneParts:
    """Parts that all lanes share.

    Attributes:
        width: most attempts in flight for one endpoint.
        load: of the process.
    """

    leases: MongoLeases
    deliveries: MongoDueDeliveries
    attempts: AttemptParts
    metrics: WebhookMetrics
    clock: Clock
    width: int
    load: Load
    timing: Timing


class Lane:
    """Attempts of one endpoint, from its lease until nothing is due, or until it may not continue."""

    def __init__(self, parts: LaneParts, lease: Lease) -> None:
        self._parts = parts
        self._backlog = Backlog(parts.deliveries, parts.clock, ahead=parts.load.ahead)
        self._keeper = LeaseKeeper(
            parts.leases, lease, parts.clock, parts.timing, oldest_due=lambda: self._backlog.oldest_due
        )
        self._attempts = Attempts(parts.attempts, self._keeper, self._backlog)
        self._workers: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._ends_at = time.monotonic() + _TURN_S
        self._has_news = True
        self._work_read = lease.work
        self._is_stopped = False
        self._is_released = False

    async def run(self) -> None:
        """Send until nothing is due or it may not continue, end what is in flight, and release the lease."""
        try:
            async with in_background(self._keeper.keep(self._changed.set), name="webhook-lease"):
                await self._send()
                oldest_due = self._backlog.oldest_due
                await self._drain()
            await self._leave(oldest_due)
        except StoreUnavailable as error:
            _log.warning("webhook_lease_not_released", error=str(error))
        finally:
            for worker in self._workers:
                worker.cancel()

    def stop(self) -> None:
        """Begin no other attempt, and end soon."""
        self._is_stopped = True
        self._changed.set()

    def notice(self, sighting: Sighting | None) -> None:
        """Learn of the endpoint as it is stored now; None: it was deleted."""
        if self._keeper.notice(sighting):
            self._has_news = True
            self._changed.set()

    def _may_continue(self) -> bool:
        if self._is_stopped or self._is_released or not self._keeper.is_active or not self._keeper.is_valid():
            return False
        if self._attempts.rest_until is not None or self._attempts.pause_reason is not None:
            return False
        return not (self._parts.load.is_crowded and time.monotonic() > self._ends_at)

    async def _send(self) -> None:
        while self._may_continue():
            try:
                await self._step()
            except StoreUnavailable as error:
                _log.warning("webhook_lane_waits", error=str(error))
                await asyncio.sleep(_RETRY_S)

    async def _step(self) -> None:
        """Read what is due, have it attempted, and wait for a change; with nothing due, release the lease."""
        while self._attempts.unblocked:
            await self._make_due(self._attempts.unblocked.pop())
        if self._backlog.is_low and (self._has_news or not self._backlog.is_complete):
            await self._read()
        self._start_workers()
        if self._backlog.is_busy or self._has_news:
            await self._changed.wait()
            self._changed.clear()
        elif self._backlog.is_complete:
            await self._release()

    async def _read(self) -> None:
        self._has_news = False
        self._work_read = self._keeper.work
        try:
            await self._backlog.read(self._keeper.endpoint)
        except StoreUnavailable:
            self._has_news = True
            raise

    async def _make_due(self, tracking_number: str) -> None:
        try:
            await self._parts.deliveries.make_due(
                self._keeper.endpoint.endpoint_id, tracking_number, self._parts.clock.now()
            )
        except StoreUnavailable:
            self._attempts.unblocked.add(tracking_number)
            raise
        self._has_news = True

    def _start_workers(self) -> None:
        if not self._attempts.may_begin():
            return
        wanted = min(self._width(), len(self._workers) + len(self._backlog))
        while len(self._workers) < wanted:
            worker = asyncio.create_task(self._work(), name="webhook-worker")
            self._workers.add(worker)
            worker.add_done_callback(self._forget)

    def _width(self) -> int:
        """Return how many attempts may be in flight: fewer with each failure in a row."""
        return max(1, self._parts.width - self._keeper.health.failures)

    async def _work(self) -> None:
        while not self._is_stopped and len(self._workers) <= self._width():
            if not await self._attempts.make_one(self._changed.set):
                return

    def _forget(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        self._changed.set()
        if not worker.cancelled() and (error := worker.exception()) is not None:
            _log.error("webhook_worker_failed", exc_info=error)
            self._attempts.rest(_AFTER_A_FAULT)

    async def _release(self) -> None:
        keeper, backlog = self._keeper, self._backlog
        self._is_released = await self._parts.leases.release(
            keeper.lease,
            work=self._work_read,
            next_due_at=backlog.next_due_at,
            rest_until=self._attempts.rest_of_pace(),
        )
        if not self._is_released:
            await keeper.renew()
            self._has_news = True

    async def _drain(self) -> None:
        self._backlog.drop()
        while self._workers or self._backlog.is_busy:
            self._changed.clear()
            await self._changed.wait()

    async def _leave(self, oldest_due: datetime | None) -> None:
        if self._is_released or not self._keeper.is_valid():
            return
        lease, reason = self._keeper.lease, self._attempts.pause_reason
        if reason is not None and await self._parts.leases.pause(lease, reason, self._parts.clock.now()):
            self._report(reason)
        rest_until = self._attempts.rest_until or self._attempts.rest_of_pace()
        await self._parts.leases.give_up(lease, oldest_due=oldest_due, rest_until=rest_until)

    def _report(self, reason: PauseReason) -> None:
        self._parts.metrics.count_pause(reason)
        endpoint, since = self._keeper.endpoint, self._keeper.health.failing_since
        _log.error(
            "webhook_endpoint_paused",
            endpoint_id=endpoint.endpoint_id,
            client_id=endpoint.client_id,
            reason=reason.value,
            failing_since=None if since is None else since.isoformat(),
        )
