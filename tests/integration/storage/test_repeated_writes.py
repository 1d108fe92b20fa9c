"""Writes that reach MongoDB twice have the effect of one, and those without effect reach it never."""

import pytest

from domain.processing.batch import Plan, ShipmentTransition
from domain.shipments.status import Status
from storage.mongo.database import Database
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.mongo.processing.transaction_writer import BatchWrite, TransactionWriter
from storage.mongo.schema import SHIPMENTS
from tests.support.builders import (
    NUMBER,
    RECORDED_AT,
    checkpoint,
    consumed_all,
    creation,
    ends_at,
    plan_for,
    report,
    shipment_after,
)

pytestmark = pytest.mark.stack

PARTITION = "shipments.events/3"


async def test_a_history_that_is_written_twice_is_as_if_written_once(database: Database) -> None:
    store = MongoShipmentStore(database)
    fence = await store.acquire(PARTITION, owner="test", end_offset=ends_at(10))
    await store.commit([(fence, plan_for(consumed_all(creation())))], recorded_at=RECORDED_AT)
    steps = consumed_all(report(Status.PICKED_UP), checkpoint(), report(Status.IN_WAREHOUSE), first_offset=1)
    plan = plan_for(steps, {NUMBER: shipment_after(creation())})
    writer = TransactionWriter(database)
    session = database.client.start_session()
    for _ in range(2):
        async with writer.fenced_transaction([], session):  # under no fence: it would refuse the second
            await writer._write_shipments([BatchWrite(fence, plan, RECORDED_AT)], session)  # noqa: SLF001  # as above
    document = await database[SHIPMENTS].find_one({"_id": NUMBER})
    assert document is not None
    assert [entry["status"] for entry in document["status_history"]] == [
        "created",
        "picked_up",
        "in_warehouse",
    ]
    assert [entry["status"] for entry in document["checkpoints"]] == ["picked_up"]
    assert (document["version"], document["checkpoint_count"]) == (4, 1)


async def test_a_write_without_effect_is_refused_and_removes_nothing(database: Database) -> None:
    store = MongoShipmentStore(database)
    fence = await store.acquire(PARTITION, owner="test", end_offset=ends_at(10))
    [fence] = await store.commit([(fence, plan_for(consumed_all(creation())))], recorded_at=RECORDED_AT)
    before = await database[SHIPMENTS].find_one({"_id": NUMBER})
    same = shipment_after(creation())
    with pytest.raises(ValueError, match=f"{NUMBER} is empty"):
        await store.commit(
            [(fence, Plan(2, shipments={NUMBER: ShipmentTransition(same, same)}))], recorded_at=RECORDED_AT
        )
    assert await database[SHIPMENTS].find_one({"_id": NUMBER}) == before
