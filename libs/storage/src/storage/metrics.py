"""Prometheus metrics of the connections to MongoDB and Redis."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pymongo import monitoring

from storage.redis.breaker import breakers

_WAITS_S: Final = (0.0001, 0.001, 0.01, 0.1, 0.5, 1.0, 5.0)


class BreakerMetrics(Collector):
    """State of the circuit breakers of `storage.redis.breaker`: users of Redis that run without it."""

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        failing = GaugeMetricFamily(
            "waybill_redis_failing", "1 while commands of this user to Redis fail, else 0.", labels=["user"]
        )
        for name in sorted({breaker.name for breaker in breakers()}):
            failing.add_metric([name], any(each.failing for each in breakers() if each.name == name))
        yield failing


class PoolMetrics(monitoring.ConnectionPoolListener):
    """Connection pool of MongoDB: wait times, failures, and connections in use."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waits = Histogram(
            "waybill_mongo_pool_wait_seconds",
            "Wait time for a connection to MongoDB.",
            buckets=_WAITS_S,
            registry=registry,
        )
        self._failures = Counter(
            "waybill_mongo_pool_failures", "Failed waits for a connection to MongoDB.", registry=registry
        )
        self._in_use = Gauge(
            "waybill_mongo_pool_in_use", "Connections to MongoDB that are in use.", registry=registry
        )

    def connection_checked_out(self, event: monitoring.ConnectionCheckedOutEvent) -> None:
        """See `ConnectionPoolListener`."""
        self._waits.observe(event.duration or 0.0)
        self._in_use.inc()

    def connection_checked_in(self, event: monitoring.ConnectionCheckedInEvent) -> None:  # noqa: ARG002  # the driver's signature
        """See `ConnectionPoolListener`."""
        self._in_use.dec()

    def connection_check_out_failed(self, event: monitoring.ConnectionCheckOutFailedEvent) -> None:  # noqa: ARG002
        """See `ConnectionPoolListener`."""
        self._failures.inc()

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None:
        """Not counted, like those below."""

    def pool_ready(self, event: monitoring.PoolReadyEvent) -> None:
        """Not counted."""

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None:
        """Not counted."""

    def pool_closed(self, event: monitoring.PoolClosedEvent) -> None:
        """Not counted."""

    def connection_created(self, event: monitoring.ConnectionCreatedEvent) -> None:
        """Not counted."""

    def connection_ready(self, event: monitoring.ConnectionReadyEvent) -> None:
        """Not counted."""

    def connection_closed(self, event: monitoring.ConnectionClosedEvent) -> None:
        """Not counted."""

    def connection_check_out_started(self, event: monitoring.ConnectionCheckOutStartedEvent) -> None:
        """Not counted."""
