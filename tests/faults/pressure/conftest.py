"""A site whose Kafka and MongoDB are behind proxies for tests that ask for them."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.processor.conftest import mongo_proxy, redis_proxy, site
from tests.support.proxy import Proxy
from tests.support.site import Site

__all__ = ["kafka_proxy", "mongo_proxy", "redis_proxy", "site"]


@pytest.fixture
async def kafka_proxy(site: Site) -> AsyncIterator[Proxy]:  # the fixture imported above
    async with Proxy(site.kafka.brokers, disguise=True).running() as proxy:
        yield proxy
