"""An owner that dies with a transaction open: MongoDB would keep its locks for a minute."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path

import pytest

from storage.mongo.database import Database
from storage.mongo.processing.shipment_store import MongoShipmentStore
from tests.integration.storage.dying_owner import PARTITIONS
from tests.support.builders import RECORDED_AT, consumed_all, creation, ends_at, number, plan_for

pytestmark = pytest.mark.stack

TAKEOVER_S = 2.0


@pytest.fixture(params=[1, 2])
async def partitions(request: pytest.FixtureRequest, database: Database, mongo_uri: str) -> Sequence[str]:
    """Kill an owner in the middle of a commit, and return whose it was."""
    count: int = request.param
    script = Path(__file__).with_name("dying_owner.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), mongo_uri, database.name, str(count), stdout=PIPE
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"in the middle\n"
    finally:
        process.kill()
        await process.communicate()
    return PARTITIONS[:count]


async def test_the_next_owner_does_not_wait_for_a_transaction_of_the_dead(
    database: Database, partitions: Sequence[str]
) -> None:
    store = MongoShipmentStore(database)
    for index, partition in enumerate(partitions):
        async with asyncio.timeout(TAKEOVER_S):
            fence = await store.acquire(partition, owner="next", end_offset=ends_at(10))
            assert (fence.epoch, fence.next_offset) == (2, 0)
            plan = plan_for(consumed_all(creation(number(index))))
            [moved] = await store.commit([(fence, plan)], recorded_at=RECORDED_AT)
        assert await store.refresh(fence) == moved
