"""The machine of tests/support/machine over real MongoDB and Redis."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import settings

from storage.mongo.database import open_database
from storage.mongo.schema import apply_schema
from storage.redis.connection import open_redis
from storage.settings import MongoSettings, RedisSettings
from tests.faults.matrix import Row
from tests.support.fakes import FixedClock
from tests.support.machine import ALL_YEAR, EVERY_DAY, ProcessorMachine, World, search, undisturbed
from tests.support.machine.servers import MongoStores, RedisHints

pytestmark = [
    pytest.mark.stack,
    pytest.mark.fault(
        Row.DUPLICATES, Row.DISORDER, Row.PROCESSOR_KILLED, Row.MONGO_ANSWER_LOST, Row.REDIS_AWAY
    ),
]

NewMachine = Callable[[], ProcessorMachine]


@asynccontextmanager
async def worlds(
    mongo: MongoSettings, redis_settings: RedisSettings
) -> AsyncIterator[Callable[[], Coroutine[None, None, World]]]:
    """Give a maker of worlds over one database and one Redis, both of them gone afterwards."""
    patient = redis_settings.model_copy(
        update={"timeout_s": 10.0}
    )  # on a busy machine, emptying takes its time
    async with open_database(mongo) as database, open_redis(patient) as redis:
        await apply_schema(database)
        stores = MongoStores(database)

        async def emptied() -> World:
            await stores.clear()
            await redis.flushdb()
            clock = FixedClock()
            return World(stores=stores, hints=RedisHints(redis, clock), clock=clock)

        yield emptied
        await database.client.drop_database(database.name)


@pytest.fixture
def new_machine(mongo_uri: str, redis_settings: RedisSettings) -> Iterator[NewMachine]:
    mongo = MongoSettings(MONGO_URI=mongo_uri, MONGO_DB=f"test_{uuid.uuid4().hex}")  # type: ignore[call-arg]
    with asyncio.Runner() as runner, undisturbed():
        opened = worlds(mongo, redis_settings)
        emptied = runner.run(opened.__aenter__())
        yield lambda: ProcessorMachine(runner.run(emptied()), runner)
        runner.run(opened.__aexit__(None, None, None))


@pytest.mark.timeout(300)
def test_every_accepted_event_is_applied_once_on_real_servers(new_machine: NewMachine) -> None:
    search(new_machine, settings(EVERY_DAY, max_examples=25))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_long_search_on_real_servers_finds_nothing(new_machine: NewMachine) -> None:
    search(new_machine, settings(ALL_YEAR, max_examples=200))
