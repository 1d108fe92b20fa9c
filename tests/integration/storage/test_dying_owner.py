"""An owner that dies with a transaction open: MongoDB would keep its locks for a minute."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from storage.client import Database
from storage.shipments import MongoShipmentStore
from tests.integration.storage.dying_owner import PARTITION
from tests.support.builders import RECORDED_AT, creation, deliveries, ends_at, plan_for

pytestmark = pytest.mark.stack

TAKEOVER_S = 2.0


@pytest.fixture
async def dead_owner(database: Database, mongo_uri: str) -> None:
    """Kill an owner in the middle of a commit."""
    script = Path(__file__).with_name("dying_owner.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), mongo_uri, database.name, stdout=PIPE
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"in the middle\n"
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.usefixtures("dead_owner")
async def test_the_next_owner_does_not_wait_for_a_transaction_of_the_dead(database: Database) -> None:
    store = MongoShipmentStore(database)

    async with asyncio.timeout(TAKEOVER_S):
        fence = await store.acquire(PARTITION, owner="next", end_offset=ends_at(10))
        assert (fence.epoch, fence.next_offset) == (2, 0)
        moved = await store.commit(fence, plan_for(deliveries(creation())), recorded_at=RECORDED_AT)

    assert await store.refresh(fence) == moved
