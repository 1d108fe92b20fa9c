"""A transaction whose last message is lost stays open: the next write must not wait for its timeout."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from domain.errors import CommitUnknown, Fenced
from domain.ports.core import Fence
from storage.mongo.database import Database, open_database
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.settings import MongoSettings
from tests.faults.matrix import Row
from tests.support.builders import RECORDED_AT, consumed_all, creation, ends_at, number, plan_for
from tests.support.proxy import Proxy, mongo_uri_of

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.MONGO_ANSWER_LOST)]

WRITTEN_WITHIN_S = 8.0
PATIENCE_S = 1.0


@pytest.fixture
async def proxy(mongo_uri: str) -> AsyncIterator[Proxy]:
    address = mongo_uri.removeprefix("mongodb://").partition("/")[0]
    async with Proxy(address).running() as proxy:
        yield proxy


@pytest.fixture
async def store(database: Database, proxy: Proxy) -> AsyncIterator[MongoShipmentStore]:
    settings = MongoSettings(  # type: ignore[call-arg]
        MONGO_URI=mongo_uri_of(proxy), MONGO_DB=database.name, MONGO_TIMEOUT_S=PATIENCE_S
    )
    async with open_database(settings) as behind:
        yield MongoShipmentStore(behind)


async def acquire(store: MongoShipmentStore, count: int) -> list[Fence]:
    return [
        await store.acquire(f"shipments.events/{each}", owner="test", end_offset=ends_at(10_000))
        for each in range(count)
    ]


async def commit(store: MongoShipmentStore, fences: Sequence[Fence]) -> list[Fence]:
    """Commit a creation under each fence in one transaction."""
    plans = [plan_for(consumed_all(creation(number(place)))) for place in range(len(fences))]
    return await store.commit(list(zip(fences, plans, strict=True)), recorded_at=RECORDED_AT)


async def test_a_lost_commit_of_several_does_not_stand_in_the_way_of_one_that_comes_again_alone(
    store: MongoShipmentStore, proxy: Proxy
) -> None:
    fences = await acquire(store, 2)
    proxy.lose(b"commitTransaction")
    with pytest.raises(CommitUnknown):
        await commit(store, fences)
    proxy.heal()
    async with asyncio.timeout(WRITTEN_WITHIN_S):
        known = await store.refresh(fences[0])
        assert known == fences[0], "nothing was committed, and nothing will be"
        assert await commit(store, [known]) == [Fence(known.partition, known.epoch, 1)]


async def test_a_lost_abort_does_not_stand_in_the_way_of_those_that_go_on_alone(
    store: MongoShipmentStore, proxy: Proxy
) -> None:
    fences = await acquire(store, 3)
    taken_over = (await acquire(store, 1))[0]
    others = [
        (fence, plan_for(consumed_all(creation(number(place))))) for place, fence in enumerate(fences[1:])
    ]
    proxy.lose(b"abortTransaction")
    async with asyncio.timeout(WRITTEN_WITHIN_S):
        with pytest.raises(Fenced):
            await commit(store, fences)
        moved = [await store.commit([(fence, plan)], recorded_at=RECORDED_AT) for fence, plan in others]
    assert [fence.next_offset for [fence] in moved] == [1, 1]
    assert await store.refresh(taken_over) == taken_over
