"""The readers on the real MongoDB."""

from collections.abc import Sequence

import pytest

from domain.errors import StoreUnavailable
from domain.ports.queries import DeadLetterFilter, EventFilter, ShipmentFilter, Window
from domain.shipments.commands import Command
from domain.shipments.event_identity import creation_event_id
from domain.shipments.status import Status
from storage.mongo.database import Database, open_database
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.mongo.queries.readers import (
    MongoDeadLetterReader,
    MongoEventReader,
    MongoShipmentReader,
)
from storage.mongo.schema import SHIPMENTS, STATUS_EVENTS
from storage.settings import MongoSettings
from tests.support.builders import (
    BOGOTA,
    NOON,
    NUMBER,
    RECORDED_AT,
    consumed_all,
    creation,
    ends_at,
    plan_for,
    report,
)

pytestmark = pytest.mark.stack

# What is always there; members that came later are there only where they are given.
SHIPMENT = {"tracking_number", "client_id", "origin", "destination", "package", "current_status"} | {
    *("status_history", "version", "created_at", "updated_at"),
}
EVENT = {"event_id", "tracking_number", "client_id", "status", "timestamp", "source", "location", "notes"} | {
    *("outcome", "reason", "attempts", "duplicates", "conflicts", "partition", "offset"),
    *("received_at", "recorded_at", "submitted_by"),
}


async def store(database: Database, commands: Sequence[Command]) -> None:
    store = MongoShipmentStore(database)
    fence = await store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    await store.commit([(fence, plan_for(consumed_all(*commands)))], recorded_at=RECORDED_AT)


async def test_a_shipment_is_shown_in_the_shape_of_the_api(database: Database) -> None:
    await store(database, [creation(), report(Status.PICKED_UP, notes="at the door")])
    shipment = await MongoShipmentReader(database).get(NUMBER)
    assert shipment is not None
    assert set(shipment) == SHIPMENT
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
    assert set(event) == EVENT | {"current_status", "may_follow"}
    assert (event["outcome"], event["reason"]) == ("rejected", "INVALID_TRANSITION")
    assert (event["timestamp"], event["recorded_at"]) == (rejected.timestamp, RECORDED_AT)
    assert (await reader.get(creation_event_id(NUMBER)) or {})["outcome"] == "applied"


async def test_unlisted_fields_are_not_returned(database: Database) -> None:
    await store(database, [creation()])
    for collection in (SHIPMENTS, STATUS_EVENTS):
        await database[collection].update_one({}, {"$set": {"internal": "secret"}})
    assert "internal" not in (await MongoShipmentReader(database).get(NUMBER) or {})
    assert "internal" not in (await MongoEventReader(database).get(creation_event_id(NUMBER)) or {})


async def test_unknown_document_is_none(database: Database) -> None:
    assert await MongoShipmentReader(database).get(NUMBER) is None
    assert await MongoEventReader(database).get(creation_event_id(NUMBER)) is None


async def test_unreachable_reader_store_is_unavailable() -> None:
    # A socket file, for its connection fails at once: one that is given up half-way would not be closed.
    away = MongoSettings(
        MONGO_URI="mongodb://%2Fnowhere%2Fmongodb.sock",
        MONGO_TIMEOUT_S=0.2,  # type: ignore[call-arg]
    )
    async with open_database(away) as database:
        with pytest.raises(StoreUnavailable):
            await MongoShipmentReader(database).get(NUMBER)
        with pytest.raises(StoreUnavailable):
            await MongoShipmentReader(database).page(ShipmentFilter(), Window(limit=1))
        with pytest.raises(StoreUnavailable):
            await MongoEventReader(database).get(creation_event_id(NUMBER))
        with pytest.raises(StoreUnavailable):
            await MongoEventReader(database).page(EventFilter(tracking_number=NUMBER), Window(limit=1))
        with pytest.raises(StoreUnavailable):
            await MongoDeadLetterReader(database).page(DeadLetterFilter(), Window(limit=1))
