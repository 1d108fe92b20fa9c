"""Figures that Prometheus has recorded."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any, Final

import aiohttp
import structlog

from portal.console.metrics.figures import SPAN_S, Figures, Point, Quantity, Series

STEP_S: Final = 30
REMEMBERED_S: Final = 5.0

_TIMEOUT: Final = aiohttp.ClientTimeout(total=5.0)
_LATENCY: Final = "sum by (le) (rate(waybill_event_latency_seconds_bucket[2m]))"
_NONE_YET: Final = "0 * sum(rate(waybill_events_total[2m]))"
QUERIES: Final = {
    Quantity.ACCEPTED: "sum(rate(waybill_accepted_events_total[2m]))",
    Quantity.APPLIED: 'sum(rate(waybill_events_total{outcome="applied"}[2m]))',
    Quantity.REJECTED: f'sum(rate(waybill_events_total{{outcome="rejected"}}[2m])) or {_NONE_YET}',
    Quantity.DEAD: f'sum(rate(waybill_events_total{{outcome="dead"}}[2m])) or {_NONE_YET}',
    Quantity.P50: f"histogram_quantile(0.5, {_LATENCY})",
    Quantity.P99: f"histogram_quantile(0.99, {_LATENCY})",
    Quantity.LAG: "sum(max by (partition) (waybill_partition_lag))",
}

_log = structlog.get_logger(__name__)


class Prometheus:
    """`FigureSource` on Prometheus's HTTP API; readers within a few seconds share a response."""

    def __init__(
        self, url: str, session: aiohttp.ClientSession, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._url = f"{url.rstrip('/')}/api/v1/query_range"
        self._session = session
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known = Figures()
        self._good_until = float("-inf")

    async def figures(self) -> Figures:
        """See `FigureSource`."""
        async with self._lock:
            if self._clock() >= self._good_until:
                self._known = await self._asked()
                self._good_until = self._clock() + REMEMBERED_S
            return self._known

    async def _asked(self) -> Figures:
        now = self._clock()
        try:
            found = await asyncio.gather(*(self._range(query, now) for query in QUERIES.values()))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError, TypeError) as error:
            _log.warning("prometheus_unreachable", error=repr(error))
            return Figures(source="prometheus", problems=("Prometheus does not respond",))
        series = dict(zip(QUERIES, found, strict=True))
        first = min((points[0].at for points in found if points), default=None)
        return Figures(series=series, since=first, source="prometheus")

    async def _range(self, query: str, now: float) -> Series:
        asked = {"query": query, "start": str(now - SPAN_S), "end": str(now), "step": str(STEP_S)}
        async with self._session.get(self._url, params=asked, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            return _points_of(await response.json(content_type=None))


def _points_of(body: dict[str, Any]) -> Series:
    """Return the points of the one series that each of our queries has; none: it is not recorded."""
    for each in body["data"]["result"]:
        return [Point(float(at), _finite(float(text))) for at, text in each["values"]]
    return ()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None  # of no events, a percentile is NaN
