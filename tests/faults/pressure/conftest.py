"""A site whose Kafka and MongoDB are behind proxies for whoever asks."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.processor.conftest import site
from tests.support.proxy import Proxy
from tests.support.site import Site

__all__ = ["kafka_proxy", "mongo_proxy", "redis_proxy", "site"]


@pytest.fixture
async def kafka_proxy(site: Site) -> AsyncIterator[Proxy]:  # the fixture imported above
    async with Proxy(site.kafka.brokers, disguise=True).running() as proxy:
        yield proxy


@pytest.fixture
async def mongo_proxy(site: Site) -> AsyncIterator[Proxy]:  # as above
    address = site.mongo.uri.removeprefix("mongodb://").partition("/")[0]
    async with Proxy(address).running() as proxy:
        yield proxy


@pytest.fixture
async def redis_proxy(site: Site) -> AsyncIterator[Proxy]:  # as above
    async with Proxy(site.redis.address).running() as proxy:
        yield proxy
