"""A site of its own for each test, on the real servers."""

import uuid

import pytest
from redis.asyncio import Redis

from messaging.settings import KafkaSettings
from storage.client import Database
from storage.settings import MongoSettings, RedisSettings
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
