"""`ShipmentStore`: of what partitions commit at once, each stands or falls by its own fence and plan."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.errors import Fenced, StaleKnowledge
from domain.ports.core import Fence, ShipmentStore
from domain.processing.batch import Plan
from tests.support.builders import RECORDED_AT, consumed_all, creation, ends_at, number, plan_for

pytestmark = pytest.mark.race


async def acquire(store: ShipmentStore, partition: int) -> Fence:
    return await store.acquire(f"shipments.events/{partition}", owner="test", end_offset=ends_at(100))


async def commit_at_once(
    store: ShipmentStore, fences: Sequence[Fence], plans: Sequence[Plan]
) -> list[Fence | BaseException]:
    """Commit a plan under each fence, all at once, and return what came of each."""
    commits = [
        store.commit(fence, plan, recorded_at=RECORDED_AT) for fence, plan in zip(fences, plans, strict=True)
    ]
    return list(await asyncio.gather(*commits, return_exceptions=True))


async def test_each_partition_has_its_own_plan_and_moves_its_own_fence(store: ShipmentStore) -> None:
    fences = [await acquire(store, partition) for partition in range(5)]
    numbers = [number(index) for index in range(5)]
    plans = [plan_for(consumed_all(creation(each), first_offset=index)) for index, each in enumerate(numbers)]
    moved = await commit_at_once(store, fences, plans)
    assert moved == [Fence(fence.partition, fence.epoch, index + 1) for index, fence in enumerate(fences)]
    assert [await store.refresh(fence) for fence in fences] == moved
    assert set(await store.load(numbers)) == set(numbers)


async def test_one_that_has_lost_its_partition_writes_nothing_and_stops_no_other(
    store: ShipmentStore,
) -> None:
    fences = [await acquire(store, partition) for partition in range(3)]
    taken_over = await acquire(store, 1)
    numbers = [number(index) for index in range(3)]
    ends = await commit_at_once(store, fences, [plan_for(consumed_all(creation(each))) for each in numbers])
    assert [type(end) for end in ends] == [Fence, Fenced, Fence]
    assert set(await store.load(numbers)) == {numbers[0], numbers[2]}
    assert await store.refresh(taken_over) == taken_over


async def test_one_that_knows_too_little_writes_nothing_and_stops_no_other(store: ShipmentStore) -> None:
    fences = [await acquire(store, partition) for partition in range(3)]
    numbers = [number(index) for index in range(3)]
    fences[1] = await store.commit(
        fences[1], plan_for(consumed_all(creation(numbers[1]))), recorded_at=RECORDED_AT
    )
    plans = [plan_for(consumed_all(creation(each), first_offset=index)) for index, each in enumerate(numbers)]
    ends = await commit_at_once(store, fences, plans)
    assert [type(end) for end in ends] == [Fence, StaleKnowledge, Fence]
    assert await store.refresh(fences[1]) == fences[1]
    assert {each.version for each in (await store.load(numbers)).values()} == {1}
