"""Kafka and Redis behind a proxy that can be stalled or cut."""

from collections.abc import AsyncIterator

import pytest

from messaging.settings import KafkaSettings
from storage.settings import RedisSettings
from tests.support.proxy import Proxy


@pytest.fixture
async def kafka_proxy(kafka: KafkaSettings) -> AsyncIterator[Proxy]:
    async with Proxy(kafka.brokers, disguise=True).running() as proxy:
        yield proxy


@pytest.fixture
def proxied_kafka(kafka: KafkaSettings, kafka_proxy: Proxy) -> KafkaSettings:
    """Give the same topics through the proxy, with little patience."""
    return kafka.model_copy(
        update={"brokers": kafka_proxy.address, "publish_timeout_s": 0.7, "request_timeout_s": 2.0}
    )


@pytest.fixture
async def redis_proxy(redis_settings: RedisSettings) -> AsyncIterator[Proxy]:
    async with Proxy(redis_settings.address).running() as proxy:
        yield proxy


@pytest.fixture
def proxied_redis(redis_settings: RedisSettings, redis_proxy: Proxy) -> RedisSettings:
    return redis_settings.model_copy(update={"address": redis_proxy.address, "timeout_s": 0.2})
