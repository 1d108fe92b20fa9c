"""Query plans of each list, from MongoDB's profiler: an index, never a scan or a sort in memory."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from domain.access.operator_actions import ActionKind
from domain.errors import TooMuchToRead
from domain.ports.queries import (
    ActionFilter,
    DeadLetterFilter,
    EventFilter,
    Period,
    Position,
    ShipmentFilter,
    Window,
)
from domain.processing.batch import Outcome
from domain.processing.dead_letter import DeadLetterState
from domain.shipments.status import Status
from storage.mongo.database import Database, open_database
from storage.mongo.operations.operator_actions import MongoActionLog
from storage.mongo.queries import lists, readers
from storage.mongo.queries.readers import MongoDeadLetterReader, MongoEventReader, MongoShipmentReader
from storage.mongo.schema import DEAD_LETTERS, OPERATOR_ACTIONS, SHIPMENTS, STATUS_EVENTS, apply_schema
from storage.settings import MongoSettings
from tests.support.builders import NOON, NUMBER, dead_letter, number
from tests.support.query_plans import assert_unsorted, profile_anew, profiled_reads

pytestmark = pytest.mark.stack

MANY = 3_000
LISTED = (SHIPMENTS, STATUS_EVENTS, DEAD_LETTERS, OPERATOR_ACTIONS)
ROUTE = list(Status)
SPAN = Period(start=NOON + timedelta(seconds=600), end=NOON + timedelta(seconds=2_000))
CLIENT = "client_003"
SHIPMENT_LISTS = [
    ShipmentFilter(),
    ShipmentFilter(client_id=CLIENT),
    ShipmentFilter(client_id=CLIENT, statuses=(Status.CREATED,)),
    ShipmentFilter(client_id=CLIENT, statuses=(Status.CREATED, Status.IN_TRANSIT, Status.DELIVERED)),
    ShipmentFilter(client_id=CLIENT, statuses=(Status.CREATED, Status.DELIVERED), created=SPAN),
    ShipmentFilter(statuses=(Status.DELIVERED,)),
    ShipmentFilter(statuses=(Status.CREATED, Status.DELIVERED), created=SPAN),
    ShipmentFilter(created=SPAN),
    ShipmentFilter(client_id=CLIENT, created=SPAN),
    ShipmentFilter(updated=SPAN),
    ShipmentFilter(client_id=CLIENT, updated=SPAN),
    ShipmentFilter(reference="order 7"),
    ShipmentFilter(reference="order 7", client_id=CLIENT),
    ShipmentFilter(reference="order 7", client_id=CLIENT, created=SPAN),
    ShipmentFilter(reference="order 7", created=SPAN),
    ShipmentFilter(reference="nobody's", statuses=(Status.DELIVERED,), prefix=number(5)[:8]),
    ShipmentFilter(prefix=number(5)[:8]),
    ShipmentFilter(prefix=number(5)[:8], client_id=CLIENT),
    ShipmentFilter(prefix=number(5)[:8], client_id=CLIENT, statuses=(Status.CREATED, Status.DELIVERED)),
]
LETTER_LISTS = [
    DeadLetterFilter(),
    DeadLetterFilter(reason="unreadable"),
    DeadLetterFilter(state=DeadLetterState.OPEN),
    DeadLetterFilter(state=DeadLetterState.OPEN, reason="unreadable", tracking_number=NUMBER, recorded=SPAN),
    DeadLetterFilter(tracking_number=NUMBER),
    DeadLetterFilter(reason="unreadable", tracking_number=NUMBER, recorded=SPAN),
    DeadLetterFilter(recorded=SPAN),
]
ACTION_LISTS = [
    ActionFilter(),
    ActionFilter(action=ActionKind.PARTITION_RESUMED),
    ActionFilter(target="dl_0_1"),
    ActionFilter(by="ana"),
    ActionFilter(action=ActionKind.PARTITION_RESUMED, target="dl_0_1", by="ana", done=SPAN),
    ActionFilter(done=SPAN),
]
MIDDLE = Position(NOON + timedelta(seconds=1_500), number(1_500))
WINDOWS = [Window(limit=10), Window(limit=10, offset=50), Window(limit=10, after=MIDDLE)]


@pytest.fixture(scope="module")
def filled(mongo_uri: str) -> Iterator[MongoSettings]:
    """Give a database with a few thousand documents, filled once: reading changes none of them."""
    settings = MongoSettings(MONGO_URI=mongo_uri, MONGO_DB=f"test_{uuid.uuid4().hex}")  # type: ignore[call-arg]

    async def prepare() -> None:
        async with open_database(settings) as database:
            await apply_schema(database)
            await fill(database)

    async def remove() -> None:
        async with open_database(settings) as database:
            await database.client.drop_database(settings.database)

    asyncio.run(prepare())
    yield settings
    asyncio.run(remove())


async def fill(database: Database) -> None:
    await database[SHIPMENTS].insert_many(
        {
            "_id": number(index),
            "client_id": f"client_{index % 20:03}",
            "current_status": ROUTE[index % 7 % len(ROUTE)].value,
            "created_at": NOON + timedelta(seconds=index),
            "updated_at": NOON + timedelta(seconds=index + index % 500),
            **({} if index % 2 else {"reference": f"order {index % 9}"}),
        }
        for index in range(MANY)
    )
    await database[STATUS_EVENTS].insert_many(
        {
            "_id": f"evt_{number(index // 30)}_{index:012x}_abcdefghijklm",
            "tracking_number": number(index // 30),
            "timestamp": NOON,
            "client_id": CLIENT,
            "outcome": "applied",
            "status": "created",
            "source": "scanner-1",
        }
        for index in range(MANY)
    )
    letters = [dead_letter(index, recorded_at=NOON + timedelta(seconds=index)) for index in range(MANY)]
    await database[DEAD_LETTERS].insert_many({"_id": each.pop("id")} | each for each in letters)
    await database[OPERATOR_ACTIONS].insert_many(
        {
            "_id": f"act_{index}",
            "at": NOON + timedelta(seconds=index),
            "by": "ana",
            "action": "partition.resumed",
            "target": f"dl_0_{index % 9}",
        }
        for index in range(MANY)
    )


@pytest.fixture
async def profiled(filled: MongoSettings) -> AsyncIterator[Database]:
    """Give the filled database, whose profiler has seen nothing yet."""
    async with open_database(filled) as database:
        await profile_anew(database)
        yield database
        await database.command("profile", 0)


async def assert_served_by_indexes(database: Database) -> list[dict[str, Any]]:
    """Check every read since the profiler was started, and return them."""
    reads = await profiled_reads(database, LISTED)
    assert_unsorted(reads)
    return reads


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("matching", SHIPMENT_LISTS)
async def test_every_list_of_shipments_uses_an_index(
    profiled: Database, matching: ShipmentFilter, window: Window
) -> None:
    await MongoShipmentReader(profiled).page(matching, window)
    reads = await profiled_reads(profiled, LISTED)
    found = next(read for read in reads if "find" in read["command"])
    if found.get("hasSortStage"):
        assert lists.shipments(matching).index_of_few is not None
        assert found["keysExamined"] <= lists.FEW
    elif matching.updated == Period() and (matching.client_id is None or matching.prefix is None):
        looks = window.offset + window.limit + 1
        assert found["docsExamined"] <= looks * 8, "more is read than is shown"


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("matching", LETTER_LISTS)
async def test_every_list_of_dead_letters_uses_an_index(
    profiled: Database, matching: DeadLetterFilter, window: Window
) -> None:
    await MongoDeadLetterReader(profiled).page(matching, window)
    await assert_served_by_indexes(profiled)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("matching", ACTION_LISTS)
async def test_every_list_of_actions_uses_an_index(
    profiled: Database, matching: ActionFilter, window: Window
) -> None:
    await MongoActionLog(profiled).page(matching, window)
    await assert_served_by_indexes(profiled)


@pytest.mark.parametrize(
    "matching",
    [
        EventFilter(tracking_number=NUMBER),
        EventFilter(tracking_number=NUMBER, client_id=CLIENT, outcome=Outcome.APPLIED, source="scanner-1"),
        EventFilter(tracking_number=NUMBER, status=Status.CREATED, period=Period(end=NOON)),
    ],
)
async def test_a_trail_reads_the_events_of_its_shipment_and_no_others(
    profiled: Database, matching: EventFilter
) -> None:
    await MongoEventReader(profiled).page(matching, Window(limit=10))
    for read in await assert_served_by_indexes(profiled):
        assert read["docsExamined"] <= 30


async def test_total_is_counted_from_the_index(profiled: Database) -> None:
    for matching in (
        ShipmentFilter(client_id=CLIENT),
        ShipmentFilter(statuses=(Status.CREATED,)),
        SHIPMENT_LISTS[4],
        ShipmentFilter(reference="order 7"),
        ShipmentFilter(reference="order 7", client_id=CLIENT),
    ):
        await MongoShipmentReader(profiled).page(matching, Window(limit=1))
    reads = await profiled_reads(profiled, LISTED)
    counts = [read for read in reads if "aggregate" in read["command"]]
    assert [read["docsExamined"] for read in counts] == [0] * 5


async def test_a_rare_status_is_found_without_reading_the_others(database: Database) -> None:
    await fill(database)
    rare = [number(index) for index in range(0, MANY, 700)]
    await database[SHIPMENTS].update_many({}, {"$set": {"current_status": "delivered"}})
    await database[SHIPMENTS].update_many({"_id": {"$in": rare}}, {"$set": {"current_status": "cancelled"}})
    await profile_anew(database)
    page = await MongoShipmentReader(database).page(
        ShipmentFilter(statuses=(Status.CANCELLED,)), Window(limit=10)
    )
    assert page.total == len(rare)
    await database.command("profile", 0)
    reads = await database["system.profile"].find({"ns": f"{database.name}.{SHIPMENTS}"}).to_list()
    assert all(read["keysExamined"] < 200 for read in reads)


async def test_a_common_status_is_read_newest_first(
    profiled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "FEW", 10)
    await MongoShipmentReader(profiled).page(ShipmentFilter(statuses=(Status.DELIVERED,)), Window(limit=10))
    found = next(each for each in await assert_served_by_indexes(profiled) if "find" in each["command"])
    assert found["planSummary"] == "IXSCAN { created_at: -1, _id: -1 }"


async def test_query_that_reads_too_much_is_rejected(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "MAX_LOOKED_AT", 5)
    await database[SHIPMENTS].insert_many(
        {"_id": number(index), "client_id": f"client_{index % 2}", "created_at": NOON, "updated_at": NOON}
        for index in range(10)
    )
    reader = MongoShipmentReader(database)
    with pytest.raises(TooMuchToRead, match="client_id"):
        await reader.page(ShipmentFilter(updated=SPAN), Window(limit=1))
    narrowed = ShipmentFilter(client_id="client_1", updated=Period(start=NOON))
    assert (await reader.page(narrowed, Window(limit=1))).total == 5
