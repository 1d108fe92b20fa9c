"""The read side on the real MongoDB: what it shows, and which index serves each list."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from domain.commands import Command
from domain.errors import StoreUnavailable
from domain.identity import creation_event_id
from domain.ports import ShipmentFilter
from domain.status import Status
from storage.client import Database, open_database
from storage.readers import (
    EVENT_FIELDS,
    NEWEST_FIRST,
    SHIPMENT_FIELDS,
    MongoEventReader,
    MongoShipmentReader,
    query_for,
)
from storage.schema import SHIPMENTS, STATUS_EVENTS
from storage.settings import MongoSettings
from storage.shipments import MongoShipmentStore
from tests.support.builders import (
    BOGOTA,
    NOON,
    NUMBER,
    RECORDED_AT,
    creation,
    deliveries,
    number,
    plan_for,
    report,
)

pytestmark = pytest.mark.stack

FILTERS = [
    ShipmentFilter(),
    ShipmentFilter(client_id="client_001"),
    ShipmentFilter(status=Status.PICKED_UP),
    ShipmentFilter(client_id="client_001", status=Status.PICKED_UP),
]


async def store(database: Database, commands: Sequence[Command]) -> None:
    store = MongoShipmentStore(database)
    fence = await store.acquire("shipments.events/0", owner="test", end_offset=0)
    await store.commit(fence, plan_for(deliveries(*commands)), recorded_at=RECORDED_AT)


@pytest.fixture
async def many(database: Database) -> None:
    """Twelve shipments, a minute apart: the even ones of client_001, the odd ones of client_002."""
    commands: list[Command] = []
    for index in range(12):
        client_id = f"client_00{1 + index % 2}"
        commands.append(creation(number(index), client_id=client_id, at=NOON + timedelta(minutes=index)))
    commands += [report(Status.PICKED_UP, number(index)) for index in range(0, 12, 3)]
    await store(database, commands)


async def test_a_shipment_is_shown_in_the_shape_of_the_api(database: Database) -> None:
    await store(database, [creation(), report(Status.PICKED_UP, notes="at the door")])
    shipment = await MongoShipmentReader(database).get(NUMBER)
    assert shipment is not None
    assert set(shipment) == {"tracking_number", *SHIPMENT_FIELDS}
    assert (shipment["tracking_number"], shipment["origin"]) == (NUMBER, BOGOTA)
    assert (shipment["current_status"], shipment["version"]) == ("picked_up", 2)
    assert (shipment["created_at"], shipment["updated_at"]) == (NOON, RECORDED_AT)
    assert [entry["status"] for entry in shipment["status_history"]] == ["created", "picked_up"]


async def test_an_event_is_shown_in_the_shape_of_the_api(database: Database) -> None:
    rejected = report(Status.DELIVERED)
    await store(database, [creation(), rejected])
    reader = MongoEventReader(database)
    event = await reader.get(rejected.event_id)
    assert event is not None
    assert set(event) == {"event_id", *EVENT_FIELDS}
    assert (event["outcome"], event["reason"]) == ("rejected", "INVALID_TRANSITION")
    assert (event["timestamp"], event["recorded_at"]) == (rejected.timestamp, RECORDED_AT)
    assert (await reader.get(creation_event_id(NUMBER)) or {})["outcome"] == "applied"


async def test_what_is_not_listed_is_not_shown(database: Database) -> None:
    await store(database, [creation()])
    for collection in (SHIPMENTS, STATUS_EVENTS):
        await database[collection].update_one({}, {"$set": {"internal": "secret"}})
    assert "internal" not in (await MongoShipmentReader(database).get(NUMBER) or {})
    assert "internal" not in (await MongoEventReader(database).get(creation_event_id(NUMBER)) or {})


async def test_what_is_not_there_is_none(database: Database) -> None:
    assert await MongoShipmentReader(database).get(NUMBER) is None
    assert await MongoEventReader(database).get(creation_event_id(NUMBER)) is None


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("matching", "expected"),
    list(zip(FILTERS, [range(11, -1, -1), range(10, -1, -2), [9, 6, 3, 0], [6, 0]], strict=True)),
)
async def test_a_page_is_newest_first(
    database: Database, matching: ShipmentFilter, expected: Sequence[int]
) -> None:
    reader = MongoShipmentReader(database)
    wanted = [number(index) for index in expected]
    for offset in (0, 1, 50):
        found, total = await reader.page(matching, limit=3, offset=offset)
        assert [shipment["tracking_number"] for shipment in found] == wanted[offset : offset + 3]
        assert total == len(wanted)


def stages(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in [plan.get("inputStage"), *plan.get("inputStages", [])]:
        if inner is not None:
            yield from stages(inner)


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("matching", FILTERS)
async def test_every_list_is_served_by_an_index(database: Database, matching: ShipmentFilter) -> None:
    shipments = database[SHIPMENTS]
    explained = await shipments.find(query_for(matching), sort=NEWEST_FIRST).limit(10).explain()
    used = list(stages(explained["queryPlanner"]["winningPlan"]))
    names = {stage["stage"] for stage in used}
    assert "IXSCAN" in names
    assert "COLLSCAN" not in names
    # A status alone may be sorted, but only the entries of that status, found through the index.
    assert "SORT" not in names or matching.status is not None


async def test_a_rare_status_is_found_without_reading_the_others(database: Database) -> None:
    shipments = database[SHIPMENTS]
    await shipments.insert_many(
        {
            "_id": number(index),
            "client_id": f"client_{index % 20:03}",
            "current_status": "cancelled" if index % 1000 == 0 else "delivered",
            "created_at": NOON + timedelta(seconds=index),
        }
        for index in range(5000)
    )
    query = query_for(ShipmentFilter(status=Status.CANCELLED))
    explained = await shipments.find(query, sort=NEWEST_FIRST).limit(10).explain()
    statistics = explained["executionStats"]
    assert statistics["nReturned"] == 5
    assert statistics["totalKeysExamined"] < 200


async def test_a_store_that_is_away_is_unavailable() -> None:
    # A socket file, for its connection fails at once: one that is given up half-way would not be closed.
    away = MongoSettings(
        MONGO_URI="mongodb://%2Fnowhere%2Fmongodb.sock",
        MONGO_TIMEOUT_S=0.2,  # type: ignore[call-arg]
    )
    async with open_database(away) as database:
        with pytest.raises(StoreUnavailable):
            await MongoShipmentReader(database).get(NUMBER)
        with pytest.raises(StoreUnavailable):
            await MongoShipmentReader(database).page(ShipmentFilter(), limit=1, offset=0)
        with pytest.raises(StoreUnavailable):
            await MongoEventReader(database).get(creation_event_id(NUMBER))
