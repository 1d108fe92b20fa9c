"""Attempts of one endpoint: at its pace, within the slots of the process, and what follows from each."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from domain.ports.core import Clock
from domain.webhooks.delivery import Attempt, AttemptError, DeliveryState
from domain.webhooks.endpoint import Ordering, PauseReason
from domain.webhooks.schedule import resolve, rest_after
from webhooks.dispatching.backlog import Backlog, Sendable
from webhooks.dispatching.lease_keeper import LeaseKeeper
from webhooks.dispatching.pace import Pace
from webhooks.dispatching.result_writer import ResultWriter
from webhooks.metrics import WebhookMetrics
from webhooks.sealing import SecretSealer, UnreadableSecret
from webhooks.sending.guarded_session import TooLate
from webhooks.sending.sender import Sender, SignedMessage
from webhooks.stores.due import PendingDelivery, Result

_log = structlog.get_logger(__name__)

_LONGEST_WAIT_S: Final = 2.0
"""Longest wait for the pace; an endpoint with a slower one rests."""
_WITHOUT_SECRETS: Final = timedelta(seconds=60)
"""Rest of an endpoint whose secrets cannot be read: a setting is wrong, not the receiver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptParts:
    """Parts that the attempts of all endpoints share.

    Attributes:
        slots: of attempts in flight.
        spread: from -1 to 1, at random: where in the jitter a next attempt lies.
    """

    sender: Sender
    results: ResultWriter
    sealer: SecretSealer
    metrics: WebhookMetrics
    clock: Clock
    slots: asyncio.Semaphore
    spread: Callable[[], float]


class Attempts:
    """Attempts of one endpoint.

    Attributes:
        rest_until: set if no attempt may begin before.
        pause_reason: set if the endpoint is to be paused.
        unblocked: shipments with a delivery that has succeeded after failures: later ones may have waited.
    """

    def __init__(self, parts: AttemptParts, keeper: LeaseKeeper, backlog: Backlog) -> None:
        self._parts = parts
        self._keeper = keeper
        self._backlog = backlog
        self._pace = Pace()
        self._turn = asyncio.Lock()
        self._sealed: Sequence[object] = ()
        self._secrets: list[str] = []
        self.rest_until: datetime | None = None
        self.pause_reason: PauseReason | None = None
        self.unblocked: set[str] = set()

    def may_begin(self) -> bool:
        """Say whether another attempt may begin."""
        return self.rest_until is None and self.pause_reason is None and self._keeper.may_begin()

    async def make_one(self, on_recorded: Callable[[], None]) -> bool:
        """Make the next attempt; return False if none may begin, or no delivery waits.

        Args:
            on_recorded: called when its result is recorded.
        """
        async with self._turn:
            sendable = await self._take()
        if sendable is None:
            return False
        attempt = None
        try:
            attempt = await self._attempt(sendable)
        finally:
            if attempt is None:
                self._backlog.end(sendable.delivery, due_at=None)
        if attempt is not None:
            self._conclude(sendable.delivery, attempt, on_recorded)
        return attempt is not None

    def rest(self, duration: timedelta) -> None:
        """Begin no attempt for a while."""
        if duration > timedelta(0):
            until = self._parts.clock.now() + duration
            self.rest_until = until if self.rest_until is None else max(until, self.rest_until)

    def rest_of_pace(self) -> datetime | None:
        """Return the moment before which the pace allows no attempt, None if it allows one."""
        wait_s = self._pace.wait_s()
        return self._parts.clock.now() + timedelta(seconds=wait_s) if wait_s > 0 else None

    async def _take(self) -> Sendable | None:
        wait_s = self._pace.wait_s()
        if wait_s > _LONGEST_WAIT_S:
            self.rest(timedelta(seconds=wait_s))
        elif wait_s > 0:
            await asyncio.sleep(wait_s)
        if not self.may_begin() or not self._backlog:
            return None
        self._pace.begin(self._keeper.endpoint.rate_per_s)
        return self._backlog.take()

    async def _attempt(self, sendable: Sendable) -> Attempt | None:
        """Attempt a delivery; return None if nothing was sent."""
        delivery = sendable.delivery
        if sendable.body is None:
            expired = AttemptError.MESSAGE_EXPIRED
            return Attempt(at=self._parts.clock.now(), status_code=None, duration_ms=0, error=expired)
        async with self._parts.slots:
            if not self.may_begin() or not self._open_secrets():
                return None
            message = SignedMessage(
                url=self._keeper.endpoint.url,
                secrets=self._secrets,
                message_id=delivery.delivery_id,
                body=sendable.body,
            )
            with self._parts.metrics.in_flight.track_inprogress():
                try:
                    return await self._parts.sender.attempt(message, write_by=self._keeper.write_by)
                except TooLate:
                    return None

    def _conclude(self, delivery: PendingDelivery, attempt: Attempt, on_recorded: Callable[[], None]) -> None:
        now = self._parts.clock.now()
        resolution = resolve(attempt, delivery.attempt + 1, spread=self._parts.spread(), now=now)
        self._parts.metrics.count_attempt(attempt, resolution)
        health = self._keeper.health = self._keeper.health.after(attempt)
        self.rest(rest_after(attempt, health.failures))
        self.pause_reason = self.pause_reason or health.pause_reason(attempt)

        def end(result: Result) -> None:
            self._backlog.end(delivery, due_at=result.resolution.due_at)
            if self._may_unblock(result):
                self.unblocked.add(delivery.tracking_number)
            on_recorded()

        self._parts.results.add(
            Result(delivery, attempt, resolution, now), is_valid=self._keeper.is_valid, on_end=end
        )

    def _may_unblock(self, result: Result) -> bool:
        return (
            self._keeper.endpoint.ordering is Ordering.PER_SHIPMENT
            and result.delivery.attempt > 0
            and result.resolution.state is DeliveryState.DELIVERED
        )

    def _open_secrets(self) -> bool:
        sealed = self._keeper.lease.secrets
        if sealed != self._sealed:
            self._sealed = sealed
            try:
                self._secrets = list(self._parts.sealer.open_all(each.sealed for each in sealed))
            except UnreadableSecret as error:
                self._secrets = []
                endpoint_id = self._keeper.endpoint.endpoint_id
                _log.error("webhook_secret_unreadable", endpoint_id=endpoint_id, error=str(error))
        if not self._secrets:
            self.rest(_WITHOUT_SECRETS)
        return bool(self._secrets)
