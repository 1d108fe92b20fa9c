"""A site of its own for each test, on the real servers, and proxies before its stores."""

import uuid
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from messaging.settings import KafkaSettings
from storage.mongo.database import Database
from storage.settings import MongoSettings, RedisSettings
from tests.support.proxy import Proxy
from tests.support.site import Site


@pytest.fixture
def site(
    kafka: KafkaSettings,
    database: Database,
    mongo_uri: str,
    redis_settings: RedisSettings,
    redis_client: Redis,  # noqa: ARG001  # empties it
) -> Site:
    return Site(
        kafka=kafka,
        mongo=MongoSettings(MONGO_URI=mongo_uri, MONGO_DB=database.name),  # type: ignore[call-arg]
        redis=redis_settings,
        database=database,
        group=f"test-{uuid.uuid4().hex}",
    )


@pytest.fixture
async def mongo_proxy(site: Site) -> AsyncIterator[Proxy]:
    address = site.mongo.uri.removeprefix("mongodb://").partition("/")[0]
    async with Proxy(address).running() as proxy:
        yield proxy


@pytest.fixture
async def redis_proxy(site: Site) -> AsyncIterator[Proxy]:
    async with Proxy(site.redis.address).running() as proxy:
        yield proxy
