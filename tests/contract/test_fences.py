"""`ShipmentStore`, its fences: a partition has one writer, the last to take it over."""

import pytest

from domain.errors import Fenced
from domain.ports.core import Fence, ShipmentStore
from domain.shipments.status import Status
from tests.support.builders import NUMBER, RECORDED_AT, consumed_all, creation, ends_at, plan_for, report

PARTITION = "shipments.events/3"
CREATION = plan_for(consumed_all(creation()))


async def acquire(store: ShipmentStore, partition: str = PARTITION, *, end_offset: int = 100) -> Fence:
    return await store.acquire(partition, owner="processor-1", end_offset=ends_at(end_offset))


async def test_a_partition_that_nobody_had_starts_from_0(store: ShipmentStore) -> None:
    fence = await acquire(store)
    assert (fence.partition, fence.next_offset) == (PARTITION, 0)


async def test_each_owner_raises_the_epoch_and_finds_the_offset_of_the_last(store: ShipmentStore) -> None:
    first = await acquire(store)
    await store.commit([(first, CREATION)], recorded_at=RECORDED_AT)
    second = await acquire(store)
    assert second == Fence(PARTITION, first.epoch + 1, 1)


async def test_partitions_have_fences_of_their_own(store: ShipmentStore) -> None:
    first = await acquire(store)
    other = await acquire(store, "shipments.events/4")
    assert other.epoch == first.epoch
    assert await store.refresh(first) == first


@pytest.mark.parametrize(("end_offset", "expected"), [(0, 0), (1, 1), (2, 1)])
async def test_a_fence_beyond_the_end_of_the_log_starts_from_0_again(
    store: ShipmentStore, end_offset: int, expected: int
) -> None:
    first = await acquire(store)
    await store.commit([(first, CREATION)], recorded_at=RECORDED_AT)
    fence = await acquire(store, end_offset=end_offset)
    assert fence == Fence(PARTITION, first.epoch + 1, expected)
    assert await store.refresh(fence) == fence


@pytest.mark.parametrize(("is_another", "expected"), [(True, 0), (False, 1)])
async def test_a_fence_stays_where_the_same_log_has_lost_its_tail(
    store: ShipmentStore, *, is_another: bool, expected: int
) -> None:
    first = await acquire(store)
    await store.commit([(first, CREATION)], recorded_at=RECORDED_AT)

    async def asked() -> bool:
        return is_another

    fence = await store.acquire(PARTITION, owner="next", end_offset=ends_at(0), is_another=asked)
    assert fence == Fence(PARTITION, first.epoch + 1, expected)
    assert (fence.checkpoint.next_offset, fence.checkpoint.end_offset) == (expected, 0)


@pytest.mark.race
async def test_the_log_is_asked_for_its_end_when_nobody_else_can_move_the_fence(store: ShipmentStore) -> None:
    """Asked before, the end would lie below what the last owner commits meanwhile: as if re-created."""
    last = await acquire(store)

    async def end_offset() -> int:
        with pytest.raises(Fenced):
            await store.commit([(last, CREATION)], recorded_at=RECORDED_AT)
        return 0

    fence = await store.acquire(PARTITION, owner="processor-2", end_offset=end_offset)
    assert fence == Fence(PARTITION, last.epoch + 1, 0)


@pytest.mark.race
async def test_an_owner_that_is_taken_over_while_it_asks_does_not_rewind(store: ShipmentStore) -> None:
    await store.commit([(await acquire(store), CREATION)], recorded_at=RECORDED_AT)

    async def end_offset() -> int:
        await acquire(store)
        return 0

    with pytest.raises(Fenced):
        await store.acquire(PARTITION, owner="processor-1", end_offset=end_offset)
    assert (await acquire(store)).next_offset == 1


async def test_a_commit_moves_the_fence(store: ShipmentStore) -> None:
    fence = await acquire(store)
    [moved] = await store.commit([(fence, CREATION)], recorded_at=RECORDED_AT)
    assert moved == Fence(PARTITION, fence.epoch, 1)
    assert await store.refresh(fence) == moved


async def test_a_fence_of_another_owner_cannot_be_refreshed(store: ShipmentStore) -> None:
    fence = await acquire(store)
    await acquire(store)
    with pytest.raises(Fenced):
        await store.refresh(fence)


@pytest.mark.race
async def test_the_owner_before_writes_nothing_any_more(store: ShipmentStore) -> None:
    before = await acquire(store)
    now = await acquire(store)
    with pytest.raises(Fenced):
        await store.commit([(before, CREATION)], recorded_at=RECORDED_AT)
    assert await store.load([NUMBER]) == {}
    assert await store.find_events([creation().event_id]) == {creation().event_id: None}
    assert await store.refresh(now) == now


@pytest.mark.race
async def test_a_plan_made_before_an_earlier_commit_went_through_is_refused(store: ShipmentStore) -> None:
    fence = await acquire(store)
    [moved] = await store.commit([(fence, CREATION)], recorded_at=RECORDED_AT)
    late = plan_for(consumed_all(report(Status.PICKED_UP)))
    with pytest.raises(Fenced):
        await store.commit([(fence, late)], recorded_at=RECORDED_AT)
    assert await store.find_events([report(Status.PICKED_UP).event_id]) == {
        report(Status.PICKED_UP).event_id: None
    }
    assert await store.refresh(fence) == moved


@pytest.mark.race
async def test_the_same_plan_is_not_written_twice(store: ShipmentStore) -> None:
    fence = await acquire(store)
    await store.commit([(fence, CREATION)], recorded_at=RECORDED_AT)
    with pytest.raises(Fenced):
        await store.commit([(fence, CREATION)], recorded_at=RECORDED_AT)
    assert (await store.load([NUMBER]))[NUMBER].version == 1
