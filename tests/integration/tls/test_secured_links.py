"""Waybill's links to its stores under TLS and SASL: an event passes, and an unknown client does not."""

import gc
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from domain.errors import StoreUnavailable
from messaging.health import KafkaProbe
from messaging.settings import KafkaSettings
from messaging.topics import ensure_topics
from storage.health import ping_redis
from storage.mongo.database import open_database
from storage.mongo.schema import SHIPMENTS, apply_schema
from storage.redis.connection import open_redis
from storage.settings import MongoSettings, RedisSettings
from tests.support.builders import NUMBER, ROUTE, creation, report
from tests.support.secured import PASSWORD, USER, Papers, Secured, secured_servers
from tests.support.site import Site, processing

pytestmark = [
    pytest.mark.stack,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
    # A driver that is refused in the handshake leaves a socket to the collector; which one is not known yet.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*<socket:pytest.PytestUnraisableExceptionWarning"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    async with secured_servers(tmp_path_factory.mktemp("secured")) as servers:
        yield servers


@pytest.fixture(scope="module", autouse=True)
def forgotten_sockets() -> Iterator[None]:
    """Collect those sockets here, before another module's test is blamed for them."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def strangers(tmp_path: Path) -> Papers:
    """Give the papers of an authority that signed for none of the servers."""
    return Papers.issued(tmp_path)


def kafka_of(secured: Secured, **changed: object) -> KafkaSettings:
    given = {
        "KAFKA_BROKERS": secured.kafka_brokers,
        "KAFKA_PARTITIONS": 2,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SSL_CA_FILE": secured.papers.authority,
        "KAFKA_SASL_USERNAME": USER,
        "KAFKA_SASL_PASSWORD": PASSWORD,
    }
    return KafkaSettings.model_validate({**given, **changed})


def mongo_of(secured: Secured, **changed: object) -> MongoSettings:
    given = {
        "MONGO_URI": secured.mongo_uri,
        "MONGO_DB": f"test_{uuid.uuid4().hex}",
        "MONGO_TLS_CA_FILE": secured.papers.authority,
        "MONGO_TIMEOUT_S": 2,
        "MONGO_SERVER_SELECTION_TIMEOUT_S": 1,
    }
    return MongoSettings.model_validate({**given, **changed})


def redis_of(secured: Secured, **changed: object) -> RedisSettings:
    given = {
        "REDIS_ADDR": secured.redis_addr,
        "REDIS_TLS": True,
        "REDIS_TLS_CA_FILE": secured.papers.authority,
        "REDIS_PASSWORD": PASSWORD,
        "REDIS_TIMEOUT_S": 2,
    }
    return RedisSettings.model_validate({**given, **changed})


async def test_an_event_passes_where_every_link_is_secured(secured: Secured) -> None:
    kafka, mongo = kafka_of(secured), mongo_of(secured)
    await ensure_topics(kafka)
    async with open_database(mongo) as database:
        await apply_schema(database)
        site = Site(
            kafka=kafka, mongo=mongo, redis=redis_of(secured), database=database, group=uuid.uuid4().hex
        )
        await site.send([creation(), *(report(status) for status in ROUTE)])
        async with processing(site):
            await site.finished()
        shipment = await database[SHIPMENTS].find_one({"_id": NUMBER})
    assert shipment is not None
    assert shipment["current_status"] == ROUTE[-1]


@pytest.mark.parametrize(
    "changed",
    [
        {"KAFKA_SASL_PASSWORD": "another"},
        {"KAFKA_SECURITY_PROTOCOL": "SSL"},
        {"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"},
    ],
    ids=["wrong password", "no password", "no TLS"],
)
async def test_kafka_takes_nobody_else(changed: dict[str, object], secured: Secured) -> None:
    with pytest.raises(KafkaError):
        await ensure_topics(kafka_of(secured, **changed))


async def test_kafka_that_cannot_prove_who_it_is_gets_no_password(
    secured: Secured, strangers: Papers
) -> None:
    settings = kafka_of(secured, KAFKA_SSL_CA_FILE=strangers.authority)
    with pytest.raises(KafkaError):
        await ensure_topics(settings)
    assert not await KafkaProbe(settings).ping()
    known = KafkaProbe(kafka_of(secured))
    assert await known.ping()
    await known.stop()


async def test_mongo_without_tls_or_from_strangers_is_not_used(secured: Secured, strangers: Papers) -> None:
    for settings in (
        mongo_of(secured, MONGO_TLS_CA_FILE=None),
        mongo_of(secured, MONGO_TLS_CA_FILE=strangers.authority),
    ):
        async with open_database(settings) as database:
            with pytest.raises(StoreUnavailable):
                await apply_schema(database)


async def test_redis_is_known_by_its_certificate_and_knows_us_by_our_password(
    secured: Secured, strangers: Papers
) -> None:
    async with open_redis(redis_of(secured)) as redis:
        assert await ping_redis(redis)
    for settings in (
        redis_of(secured, REDIS_PASSWORD="another"),  # noqa: S106
        redis_of(secured, REDIS_TLS_CA_FILE=strangers.authority),
        redis_of(secured, REDIS_TLS=False),
    ):
        async with open_redis(settings) as redis:
            with pytest.raises(RedisError):
                await ping_redis(redis)
