"""A lease as its holder knows it: renewed while it is needed, and not relied on when it may have ended."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from domain.errors import StoreUnavailable
from domain.ports.core import Clock
from domain.webhooks.endpoint import Endpoint, EndpointState
from domain.webhooks.health import Health
from webhooks.sending.timing import Timing
from webhooks.stores.leases import Lease, MongoLeases, Sighting

_log = structlog.get_logger(__name__)

_RETRY_S: Final = 1.0


class LeaseKeeper:
    """Keeper of one lease.

    Attributes:
        work: `Lease.work` as it was seen last.
        is_lost: set when another replica has the lease, or the endpoint was deleted.
        is_outdated: set when the endpoint has begun again: what this holder knows of its health is past.
    """

    def __init__(
        self,
        leases: MongoLeases,
        lease: Lease,
        clock: Clock,
        timing: Timing,
        *,
        oldest_due: Callable[[], datetime | None],
    ) -> None:
        self._leases = leases
        self._lease = lease
        self._clock = clock
        self._timing = timing
        self._oldest_due = oldest_due
        self._look = asyncio.Event()
        self.work = lease.work
        self.is_lost = False
        self.is_outdated = False

    @property
    def lease(self) -> Lease:
        """The lease, with the endpoint as it was read last."""
        return self._lease

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint as it was read last."""
        return self._lease.endpoint

    @property
    def health(self) -> Health:
        """The health of the endpoint, which the next renewal records."""
        return self._lease.health

    @health.setter
    def health(self, health: Health) -> None:
        if health != self._lease.health:
            self._lease = replace(self._lease, health=health)

    @property
    def is_active(self) -> bool:
        """Whether the endpoint is to be sent anything."""
        return not (self.is_lost or self.is_outdated) and self.endpoint.state is EndpointState.ACTIVE

    @property
    def write_by(self) -> float:
        """The last moment for writing a request, by `time.monotonic`."""
        return self._lease.valid_until - self._timing.margin_s

    def is_valid(self) -> bool:
        """Say whether results may be recorded."""
        return not self.is_lost and self._lease.remaining_s() > 0

    def may_begin(self) -> bool:
        """Say whether an attempt may begin: the lease lasts until its end."""
        needed_s = self._timing.attempt_s + self._timing.margin_s
        return self.is_active and self._lease.remaining_s() > needed_s

    def notice(self, sighting: Sighting | None) -> bool:
        """Compare with what is stored, None if the endpoint was deleted; return whether others made work."""
        if sighting is None or sighting.epoch != self._lease.epoch:
            self.is_lost = True
            return True
        if sighting.updated_at != self.endpoint.updated_at:
            self._look.set()
        has_news = sighting.work != self.work
        self.work = sighting.work
        return has_news

    async def keep(self, on_change: Callable[[], None]) -> None:
        """Renew the lease until it is lost, or this is cancelled; call `on_change` after each renewal."""
        while not self.is_lost:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timing.renew_s):
                    await self._look.wait()
            self._look.clear()
            try:
                await self.renew()
            except StoreUnavailable as error:
                _log.warning("webhook_lease_not_renewed", error=str(error))
                await asyncio.sleep(_RETRY_S)
                self._look.set()
            on_change()

    async def renew(self) -> None:
        """Renew the lease, or note that it is lost.

        Raises:
            StoreUnavailable: whether it was renewed is unknown; the old end stands.
        """
        renewed = await self._leases.renew(self._lease, self._clock.now(), oldest_due=self._oldest_due())
        if renewed is None:
            self.is_lost = True
            return
        self.is_outdated = self.is_outdated or renewed.beginnings != self._lease.beginnings
        # Attempts may have ended while this was asked.
        self._lease = replace(renewed, health=self._lease.health, beginnings=self._lease.beginnings)
        self.work = renewed.work
