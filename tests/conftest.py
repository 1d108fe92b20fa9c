"""Servers shared by the tests: one embedded stack per run; a database, a Redis and topics fresh per test."""

import gc
import importlib
import os
import uuid
from collections.abc import AsyncIterator, Generator, Iterator

import hypothesis
import pytest
from redis.asyncio import Redis

from devstack.loopback import past_proxies
from messaging.settings import KafkaSettings
from messaging.topics import Topics, ensure_topics
from storage.mongo.database import Database, open_database
from storage.mongo.schema import apply_schema
from storage.redis.connection import open_redis
from storage.settings import MongoSettings, RedisSettings
from tests.support.ports import unused_port
from tests.support.spare_databases import SpareDatabases
from tests.support.stack import RunningStack, StackAddresses, external_stack, start_stack
from tests.support.topics import admin_of

pytest_plugins = ["tests.support.fault_table"]

TEST_REDIS_DB = 9

os.environ.update(past_proxies(os.environ))  # for clients that hear a proxy of the shell, and their children
# How long an example takes is the machine's business; what is slow is measured in `bench/`.
hypothesis.settings.register_profile("waybill", deadline=None)
hypothesis.settings.load_profile("waybill")
# A broker lives for minutes here: what its second compiler gains in them is less than what it costs.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
# The same stack on every machine, and small: several run at once.
os.environ.setdefault("PROCESSORS", "1")
os.environ.setdefault("WAYBILL_MONGO_CACHE_GB", "1")
# A quarter of a second for each login, and for each user of development at each start, would be most of them.
os.environ.setdefault("BCRYPT_COST", "10")

_LONGEST = (
    "test_guide.py",
    "test_checked_console.py",
    "test_run.py",
    "test_another_topic.py",
    "test_checked_tracking.py",
    "test_random_schedule.py",
    "test_watched.py",
    "test_trails.py",
    "test_plain_consumer.py",
    "test_faults.py",
    "test_contract.py",
    "test_shipment_lists.py",
    "test_two_replicas.py",
    "test_console.py",
    "test_backlog.py",
    "test_runtime_faults.py",
    "test_command_page.py",
    "test_checkpoints.py",
    "test_clocks.py",
    "test_crashing_records.py",
    "test_store_faults.py",
    "test_demo.py",
    "test_rules.py",
)
"""Files by the time that they take, longest first (`--durations=0`): all others take less."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector: it would look at thousands of items again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: begun last, one would keep a process busy while the others have ended."""
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end of the run."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackAddresses]:
    """Give the whole of Waybill, started once for all tests."""
    external = external_stack(os.environ)
    if external is not None:
        yield external
        return
    if os.environ.get("WAYBILL_STACK") == "docker":
        # Imported when asked for: the others need not wait for the client of Docker.
        contained_stack = importlib.import_module("tests.support.docker_stack").docker_stack
        with contained_stack(tmp_path_factory.mktemp("stack")) as contained:
            yield contained
        return
    # Two: an open page is to outlive the death of the replica that it is connected to.
    env = {**os.environ, "ENV": "development", "PORTAL_REPLICAS": "2"}
    with start_stack(tmp_path_factory.mktemp("stack"), env=env, port=unused_port()) as running:
        yield running


@pytest.fixture
def own_stack(stack: StackAddresses) -> RunningStack:
    """Give the stack to tests that kill parts of it; only a stack started by this run qualifies."""
    if not isinstance(stack, RunningStack):
        pytest.skip("the stack belongs to somebody else: its processes cannot be killed")
    return stack


@pytest.fixture(scope="session")
def mongo_uri(stack: StackAddresses) -> str:
    return stack.mongo_uri


@pytest.fixture
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    """Give an empty database with the schema applied."""
    name = f"test_{uuid.uuid4().hex}"
    async with open_database(MongoSettings(MONGO_URI=mongo_uri, MONGO_DB=name)) as database:  # type: ignore[call-arg]
        await apply_schema(database)
        yield database
        await database.client.drop_database(name)


@pytest.fixture(scope="session")
def spare_databases(mongo_uri: str) -> Iterator[SpareDatabases]:
    with SpareDatabases.of(mongo_uri) as spares:
        yield spares


@pytest.fixture
async def spare_database(spare_databases: SpareDatabases) -> AsyncIterator[Database]:
    """Give an empty database with the schema applied, which other tests have used before."""
    async with spare_databases.one() as database:
        yield database


@pytest.fixture
def redis_settings(stack: StackAddresses) -> RedisSettings:
    return RedisSettings(REDIS_ADDR=stack.redis_addr, REDIS_DB=TEST_REDIS_DB)  # type: ignore[call-arg]


@pytest.fixture
async def redis_client(redis_settings: RedisSettings) -> AsyncIterator[Redis]:
    """Give an empty Redis database."""
    async with open_redis(redis_settings) as redis:
        assert isinstance(redis, Redis)
        await redis.flushdb()
        yield redis


@pytest.fixture
def partitions() -> int:
    """Give how many partitions the topics of a test have."""
    return 2


@pytest.fixture
async def kafka(stack: StackAddresses, partitions: int) -> AsyncIterator[KafkaSettings]:
    """Give fresh topics, under a prefix of their own."""
    settings = KafkaSettings(  # type: ignore[call-arg]
        KAFKA_BROKERS=stack.kafka_brokers,
        KAFKA_TOPIC_PREFIX=f"test-{uuid.uuid4().hex}-",
        KAFKA_PARTITIONS=partitions,
    )
    await ensure_topics(settings)
    yield settings
    async with admin_of(settings) as admin:
        await admin.delete_topics(list(Topics(settings.topic_prefix).all()))
