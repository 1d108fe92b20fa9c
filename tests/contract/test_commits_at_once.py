"""`ShipmentStore`: plans of several partitions are written all or none, each under its own fence."""

from collections.abc import Sequence

import pytest

from domain.errors import Fenced, StaleKnowledge
from domain.ports.core import Fence, ShipmentStore
from domain.processing.batch import Plan
from tests.support.builders import RECORDED_AT, consumed_all, creation, ends_at, number, plan_for

NUMBERS = [number(index) for index in range(3)]


async def acquire(store: ShipmentStore, partition: int) -> Fence:
    return await store.acquire(f"shipments.events/{partition}", owner="test", end_offset=ends_at(100))


async def acquire_all(store: ShipmentStore) -> list[Fence]:
    return [await acquire(store, partition) for partition in range(len(NUMBERS))]


def plans_under(fences: Sequence[Fence]) -> list[tuple[Fence, Plan]]:
    """Return the creation of another shipment under each fence, the n-th at offset n."""
    return [
        (fence, plan_for(consumed_all(creation(each), first_offset=index)))
        for index, (fence, each) in enumerate(zip(fences, NUMBERS, strict=True))
    ]


async def test_each_partition_has_its_own_plan_and_moves_its_own_fence(store: ShipmentStore) -> None:
    fences = await acquire_all(store)
    moved = await store.commit(plans_under(fences), recorded_at=RECORDED_AT)
    assert moved == [Fence(fence.partition, fence.epoch, index + 1) for index, fence in enumerate(fences)]
    assert [await store.refresh(fence) for fence in fences] == moved
    assert set(await store.load(NUMBERS)) == set(NUMBERS)


async def test_a_lost_fence_of_one_leaves_all_as_they_were(store: ShipmentStore) -> None:
    fences = await acquire_all(store)
    taken_over = await acquire(store, 1)
    with pytest.raises(Fenced):
        await store.commit(plans_under(fences), recorded_at=RECORDED_AT)
    assert await store.load(NUMBERS) == {}
    assert [await store.refresh(fence) for fence in (fences[0], taken_over, fences[2])] == [
        fences[0],
        taken_over,
        fences[2],
    ]


async def test_stale_knowledge_of_one_leaves_all_as_they_were(store: ShipmentStore) -> None:
    fences = await acquire_all(store)
    plans = plans_under(fences)
    [fences[1]] = await store.commit(plans[1:2], recorded_at=RECORDED_AT)
    with pytest.raises(StaleKnowledge):
        await store.commit(plans_under(fences), recorded_at=RECORDED_AT)
    assert set(await store.load(NUMBERS)) == {NUMBERS[1]}
    assert [await store.refresh(fence) for fence in fences] == fences


async def test_one_event_in_two_plans_is_not_written_twice(store: ShipmentStore) -> None:
    fences = await acquire_all(store)
    plan = plan_for(consumed_all(creation(NUMBERS[0])))
    with pytest.raises(StaleKnowledge):
        await store.commit([(fences[0], plan), (fences[1], plan)], recorded_at=RECORDED_AT)
    assert await store.load(NUMBERS) == {}
