"""The fence that an owner holds: what moves it, and when it is read again."""

from dataclasses import replace

import pytest

from domain.errors import CommitUnknown, Fenced, StoreUnavailable, TransactionAborted
from domain.ports.core import Fence
from processor.use_cases.partition_fence import PartitionFence, advance_together
from processor.use_cases.shipment_cache import ShipmentCache
from tests.support.builders import NUMBER, creation, ends_at, shipment_after
from tests.support.fakes import InMemoryShipmentStore
from tests.unit.processor.harness import END, NAME

CREATED = shipment_after(creation())


class Owner:
    """An owner of the partition with one cached shipment."""

    def __init__(self, store: InMemoryShipmentStore, name: str = NAME) -> None:
        self.store = store
        self.cache = ShipmentCache(10)
        self.fence = PartitionFence(name, store, self.cache, owner="test")

    async def take_over(self) -> None:
        await self.fence.take_over(ends_at(END))
        self.cache.put([CREATED])

    def moved_to(self, next_offset: int) -> Fence:
        """Move the stored fence, as a transaction of this owner does."""
        fence = replace(self.fence.held, next_offset=next_offset)
        self.store.documents.fences[self.fence.name] = fence
        return fence

    @property
    def trusts_its_cache(self) -> bool:
        return self.cache.get(NUMBER) is not None


@pytest.fixture
def store() -> InMemoryShipmentStore:
    return InMemoryShipmentStore()


@pytest.fixture
async def owner(store: InMemoryShipmentStore) -> Owner:
    owner = Owner(store)
    await owner.take_over()
    return owner


async def returned(fence: Fence) -> Fence:
    return fence


async def failed(error: Exception) -> Fence:
    raise error


async def test_a_transaction_advances_the_fence_and_leaves_the_cache(owner: Owner) -> None:
    await owner.fence.advance(returned(owner.moved_to(7)))
    await owner.fence.refresh_if_in_doubt()
    assert owner.fence.next_offset == 7
    assert owner.trusts_its_cache


async def test_a_takeover_clears_what_was_cached_under_the_last_fence(owner: Owner) -> None:
    before = owner.fence.held
    await owner.fence.take_over(ends_at(END))
    assert owner.fence.held.epoch == before.epoch + 1
    assert not owner.trusts_its_cache


async def test_a_failed_transaction_leaves_the_fence_in_doubt_until_it_is_read(owner: Owner) -> None:
    with pytest.raises(StoreUnavailable):
        await owner.fence.advance(failed(StoreUnavailable("away")))
    owner.moved_to(3)  # the transaction was committed all the same
    owner.store.fail_next("refresh", StoreUnavailable("still away"))
    with pytest.raises(StoreUnavailable):
        await owner.fence.refresh_if_in_doubt()
    await owner.fence.refresh_if_in_doubt()
    assert owner.fence.next_offset == 3
    assert not owner.trusts_its_cache
    owner.store.fail_next("refresh", AssertionError("not in doubt any more"))
    await owner.fence.refresh_if_in_doubt()


async def test_a_late_transaction_of_the_owner_itself_is_an_unknown_commit(owner: Owner) -> None:
    owner.moved_to(3)
    with pytest.raises(CommitUnknown):
        await owner.fence.advance(failed(Fenced("not held any more")))
    assert owner.fence.next_offset == 3
    assert not owner.trusts_its_cache


async def test_another_owner_ends_this_one(owner: Owner, store: InMemoryShipmentStore) -> None:
    await Owner(store).take_over()
    with pytest.raises(Fenced):
        await owner.fence.advance(failed(Fenced("not held any more")))


async def test_a_fence_that_has_gone_back_ends_the_owner(owner: Owner) -> None:
    await owner.fence.advance(returned(owner.moved_to(7)))
    owner.moved_to(3)
    with pytest.raises(Fenced, match="gone back"):
        await owner.fence.advance(failed(Fenced("not held any more")))


@pytest.fixture
async def both(store: InMemoryShipmentStore) -> list[Owner]:
    owners = [Owner(store, "shipments.events/1"), Owner(store, "shipments.events/2")]
    for owner in owners:
        await owner.take_over()
    return owners


async def all_returned(*fences: Fence) -> list[Fence]:
    return list(fences)


async def all_failed(error: Exception) -> list[Fence]:
    raise error


async def test_a_transaction_of_several_advances_each_fence(both: list[Owner]) -> None:
    written = all_returned(*(owner.moved_to(7 + index) for index, owner in enumerate(both)))
    await advance_together([owner.fence for owner in both], written)
    assert [owner.fence.next_offset for owner in both] == [7, 8]


@pytest.mark.parametrize("error", [CommitUnknown("lost"), StoreUnavailable("away")])
async def test_a_failed_transaction_of_several_leaves_each_fence_in_doubt(
    both: list[Owner], error: Exception
) -> None:
    with pytest.raises(type(error)):
        await advance_together([owner.fence for owner in both], all_failed(error))
    for owner in both:
        owner.moved_to(3)  # the transaction was committed all the same
        await owner.fence.refresh_if_in_doubt()
        assert owner.fence.next_offset == 3
        assert not owner.trusts_its_cache


@pytest.mark.parametrize("error", [Fenced("one of them"), TransactionAborted("conflict")])
async def test_what_may_be_the_fault_of_one_leaves_the_fences_as_they_were(
    both: list[Owner], error: Exception
) -> None:
    held = [owner.fence.held for owner in both]
    with pytest.raises(type(error)):
        await advance_together([owner.fence for owner in both], all_failed(error))
    assert [owner.fence.held for owner in both] == held
    assert all(owner.trusts_its_cache for owner in both)
