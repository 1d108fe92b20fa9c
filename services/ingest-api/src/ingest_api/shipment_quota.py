"""Quota of events per caller and shipment: rejected events are stored too, and appear in the audit trail.

A shipment has about ten events, so the first `FREE` of an hour are counted in memory alone, without a round
trip. Further ones are taken from a quota that all replicas share.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Final

from aiohttp import hdrs, web

from domain.access.rate_limit import Quota
from domain.ports.core import RateLimiter
from httpkit.middleware.auth import principal
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError

FREE: Final = 50
HOUR_S: Final = 3_600
REMEMBERED: Final = 100_000


class ShipmentQuotas:
    """Counter of events by caller and shipment."""

    def __init__(
        self, limiter: RateLimiter, per_hour: int, *, clock: Callable[[], float] = monotonic
    ) -> None:
        """Set the shared quota.

        Args:
            limiter: shared by all replicas.
            per_hour: events of a shipment that a caller may send in addition to the free ones.
            clock: seconds, monotonic.
        """
        self._limiter = limiter
        self._quota = Quota("shipment", per_hour, HOUR_S)
        self._clock = clock
        self._seen: dict[tuple[str, str], int] = {}
        self._until = clock() + HOUR_S

    async def take(self, caller: str, numbers: Iterable[str]) -> None:
        """Count an event of each of these shipments.

        Raises:
            ApiError: 429, the quota of one of them is used up. Counted events stay counted.
        """
        if self._clock() >= self._until or len(self._seen) >= REMEMBERED:
            self._seen, self._until = {}, self._clock() + HOUR_S
        for number, count in Counter(numbers).items():
            seen = self._seen[caller, number] = self._seen.get((caller, number), 0) + count
            if seen > FREE:
                await self._take_shared(caller, number, min(count, seen - FREE))

    async def _take_shared(self, caller: str, number: str, count: int) -> None:
        wanted = min(count, self._quota.limit)
        grant = await self._limiter.take(f"shipment:{caller}:{number}", self._quota, wanted=wanted)
        if grant.granted < wanted:
            # Until as many are free as are wanted; the first is free after `retry_after_s`.
            wait_s = max(1, int(grant.retry_after_s + (wanted - 1) * self._quota.interval_us / 1_000_000))
            raise ApiError(
                ErrorCode.RATE_LIMITED,
                f"more than {self._quota.limit} events of {number} in an hour: come again in {wait_s} s",
                headers={hdrs.RETRY_AFTER: str(wait_s)},
            )


SHIPMENT_QUOTAS: Final = web.AppKey("shipment_quotas", ShipmentQuotas)


async def charge_shipments(request: web.Request, numbers: Iterable[str]) -> None:
    """Charge the events of a request to their shipments; an app without `SHIPMENT_QUOTAS` has no quota.

    Raises:
        ApiError: 429.
    """
    quotas = request.app.get(SHIPMENT_QUOTAS)
    if quotas is not None:
        await quotas.take(principal(request).subject, numbers)
