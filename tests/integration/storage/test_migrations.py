"""Steps of the schema on a real MongoDB: once each, one runner at a time, forward only."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pymongo import IndexModel

from domain.errors import StoreUnavailable
from storage.mongo.database import Database, open_database
from storage.mongo.schema import (
    AUTH_USERS,
    BY_CREATION,
    BY_ENDPOINT_AND_SHIPMENT,
    INDEXES,
    SHIPMENTS,
    STEPS,
    VALIDATORS,
    WEBHOOK_DELIVERIES,
    apply_schema,
    index_all_deliveries_of_shipments,
)
from storage.mongo.schema.migrations import (
    SCHEMA_MIGRATIONS,
    SchemaTooNew,
    SchemaTooOld,
    Step,
    migrate,
    wait_until_taken,
)
from storage.settings import MongoSettings

pytestmark = pytest.mark.stack

INDEXED_BY_STATUS_FIRST = 8


class Counted:
    """A step that takes a while, and knows how often it ran."""

    def __init__(self) -> None:
        self.runs = 0
        self.fails = False

    async def __call__(self, database: Database) -> None:
        self.runs += 1
        await database["touched"].insert_one({"by": self.runs})
        await asyncio.sleep(0.05)
        if self.fails:
            raise OSError("the runner dies")


@pytest.fixture
async def bare(mongo_uri: str) -> AsyncIterator[Database]:
    """Give a database in which nothing has been done."""
    name = f"test_{uuid.uuid4().hex}"
    async with open_database(MongoSettings(MONGO_URI=mongo_uri, MONGO_DB=name)) as database:  # type: ignore[call-arg]
        yield database
        await database.client.drop_database(name)


async def test_a_new_database_gets_all_that_is_declared(bare: Database) -> None:
    await apply_schema(bare)
    for name, declared in INDEXES.items():
        found = await bare[name].index_information()
        assert set(found) == {"_id_", *(model.document["name"] for model in declared)}
    [options] = [each["options"] async for each in await bare.list_collections(filter={"name": AUTH_USERS})]
    assert options["validator"] == VALIDATORS[AUTH_USERS]
    records = await bare[SCHEMA_MIGRATIONS].find({}, sort=[("_id", 1)]).to_list()
    assert [record["_id"] for record in records] == list(range(1, len(STEPS) + 1)), "and no lock is left"


async def test_an_older_index_of_pending_deliveries_gives_way_to_one_of_all(bare: Database) -> None:
    pending = IndexModel(BY_ENDPOINT_AND_SHIPMENT, partialFilterExpression={"state": "pending"})
    await bare[WEBHOOK_DELIVERIES].create_indexes([pending])
    for _ in range(2):  # a runner that dies after it is followed by one that repeats it
        await index_all_deliveries_of_shipments(bare)
        found = await bare[WEBHOOK_DELIVERIES].index_information()
        assert "partialFilterExpression" not in found[pending.document["name"]]


async def test_the_release_before_keeps_its_index_on_the_status_beside_the_new_one(bare: Database) -> None:
    await apply_schema(bare)
    older, newer = IndexModel([("client_id", 1), ("current_status", 1), *BY_CREATION]), INDEXES[SHIPMENTS][0]
    await bare[SHIPMENTS].drop_index(newer.document["name"])
    await bare[SHIPMENTS].create_indexes([older])
    await bare[SCHEMA_MIGRATIONS].delete_one({"_id": INDEXED_BY_STATUS_FIRST})
    await apply_schema(bare)
    names = set(await bare[SHIPMENTS].index_information())
    assert names >= {older.document["name"], newer.document["name"]}


@pytest.mark.race
async def test_runners_that_start_at_once_take_each_step_once(bare: Database) -> None:
    first, second = Counted(), Counted()
    steps = [Step("first", first), Step("second", second)]
    ran = await asyncio.gather(*(migrate(bare, steps) for _ in range(6)))
    assert (first.runs, second.runs) == (1, 1)
    assert sorted(ran) == [[], [], [], [], [], ["first", "second"]]


async def test_a_step_that_failed_is_taken_by_the_next_runner(bare: Database) -> None:
    first, second = Counted(), Counted()
    second.fails = True
    steps = [Step("first", first), Step("second", second)]
    with pytest.raises(OSError, match="dies"):
        await migrate(bare, steps)
    second.fails = False
    assert await migrate(bare, steps) == ["second"]
    assert (first.runs, second.runs) == (1, 2)


@pytest.mark.parametrize("left", [timedelta(seconds=-1), timedelta(hours=1)])
async def test_the_lock_of_the_dead_ends_and_that_of_the_living_holds(
    bare: Database, left: timedelta
) -> None:
    step = Counted()
    until = datetime.now(UTC) + left
    await bare[SCHEMA_MIGRATIONS].insert_one({"_id": "lock", "owner": "another", "until": until})
    if left > timedelta():
        with pytest.raises(StoreUnavailable, match="another runner"):
            await migrate(bare, [Step("first", step)], wait_s=0.3)
        assert step.runs == 0
    else:
        assert await migrate(bare, [Step("first", step)], wait_s=5) == ["first"]


async def test_a_database_of_a_later_release_is_left_alone_unless_it_only_added(bare: Database) -> None:
    known, later = Step("first", Counted()), Counted()
    await migrate(bare, [known, Step("adds", later)])
    assert await migrate(bare, [known]) == []
    await migrate(bare, [known, Step("adds", later), Step("renames", later, breaks_older=True)])
    with pytest.raises(SchemaTooNew, match=r"step 3 \(renames\)"):
        await migrate(bare, [known])
    with pytest.raises(SchemaTooNew):
        await wait_until_taken(bare, [known], within_s=5)


async def test_who_needs_the_schema_waits_for_it(bare: Database) -> None:
    steps = [Step("first", Counted())]
    with pytest.raises(SchemaTooOld, match="step 1"):
        await wait_until_taken(bare, steps, within_s=0.2)
    waiting = asyncio.create_task(wait_until_taken(bare, steps, within_s=20))
    await migrate(bare, steps)
    await asyncio.wait_for(waiting, 20)
