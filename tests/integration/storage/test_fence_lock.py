"""A transaction under the fence and a new owner exclude each other, whatever the transaction moves."""

import pymongo
import pytest
from pymongo.errors import PyMongoError

from storage.mongo.database import Database
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.mongo.processing.transaction_writer import TransactionWriter
from storage.mongo.schema import PARTITION_FENCES
from tests.support.builders import ends_at

pytestmark = pytest.mark.stack

PARTITION = "shipments.events/3"
RAISED = {"$inc": {"epoch": 1}}


@pytest.mark.parametrize("further", [0, 5])
async def test_nobody_takes_over_while_a_batch_is_being_written(database: Database, further: int) -> None:
    store = MongoShipmentStore(database)
    fence = await store.acquire(PARTITION, owner="test", end_offset=ends_at(10))
    fences = database[PARTITION_FENCES]
    session = database.client.start_session()
    async with TransactionWriter(database).fenced_transaction(
        [(fence, fence.next_offset + further)], session
    ):
        with pytest.raises(PyMongoError), pymongo.timeout(0.5):
            await fences.update_one({"_id": PARTITION}, RAISED)
    await fences.update_one({"_id": PARTITION}, RAISED)
