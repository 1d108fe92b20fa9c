"""Metrics of the connections to MongoDB and Redis."""

import pytest
from prometheus_client import CollectorRegistry
from pymongo.monitoring import (
    ConnectionCheckedInEvent,
    ConnectionCheckedOutEvent,
    ConnectionCheckOutFailedEvent,
)

from storage.metrics import BreakerMetrics, PoolMetrics
from storage.redis import breaker as breaker_module
from storage.redis.breaker import RedisBreaker

ADDRESS = ("127.0.0.1", 27017)


async def works() -> str:
    return "result"


async def fails() -> str:
    raise OSError("gone")


async def test_redis_fails_until_it_answers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = CollectorRegistry()
    registry.register(BreakerMetrics())
    guard = RedisBreaker("of_this_test")

    def failing() -> float | None:
        return registry.get_sample_value("waybill_redis_failing", {"user": "of_this_test"})

    assert failing() == 0
    await guard.run(fails, otherwise="nothing")
    assert failing() == 1
    await guard.run(works, otherwise="nothing")
    assert failing() == 0
    await guard.run(fails, otherwise="nothing")
    monkeypatch.setattr(breaker_module, "REMEMBERED_S", 0.0)
    assert failing() == 0  # nobody has asked for long


def test_connections_are_counted_while_they_are_out() -> None:
    pool = PoolMetrics(registry := CollectorRegistry())
    for _ in range(2):
        pool.connection_checked_out(ConnectionCheckedOutEvent(ADDRESS, 1, 0.002))
    pool.connection_checked_in(ConnectionCheckedInEvent(ADDRESS, 1))
    pool.connection_check_out_failed(ConnectionCheckOutFailedEvent(ADDRESS, "timeout", 1.0))
    assert registry.get_sample_value("waybill_mongo_pool_in_use") == 1
    assert registry.get_sample_value("waybill_mongo_pool_wait_seconds_bucket", {"le": "0.01"}) == 2
    assert registry.get_sample_value("waybill_mongo_pool_failures_total") == 1
