"""A partition of a topic that follows another waits for the end of those before it."""

import pytest

from domain.errors import NotItsTurn
from domain.ports.core import Fence
from messaging.log.generations import Generation, LogPartition
from processor.use_cases.log_order import LogOrder
from tests.support.builders import ends_at
from tests.support.fakes import InMemoryPartitionStateStore, InMemoryShipmentStore

BEFORE = Generation(2, "log", is_first=True)
PARTITION = LogPartition(Generation(3, "log-3"), 1, BEFORE)


async def owned(store: InMemoryShipmentStore, number: int) -> Fence:
    return await store.acquire(BEFORE.name_of(number), owner="before", end_offset=ends_at(0))


async def test_it_is_its_turn_when_each_predecessor_has_ended_and_then_for_good() -> None:
    store = InMemoryShipmentStore()
    state = InMemoryPartitionStateStore(store.documents)
    order = LogOrder(PARTITION, state)
    fences = [await owned(store, number) for number in range(2)]
    for missing in (["log/0", "log/1"], ["log/1"]):
        with pytest.raises(NotItsTurn, match=f"waits for the end of {', '.join(missing)}"):
            await order.require_turn()
        await state.note_end(fences.pop(0))
    await order.require_turn()
    state.fail_next("ended", AssertionError("asked again"))
    await order.require_turn()


async def test_in_the_first_topic_it_is_always_its_turn() -> None:
    state = InMemoryPartitionStateStore(InMemoryShipmentStore().documents)
    state.fail_next("ended", AssertionError("asked"))
    await LogOrder(LogPartition(BEFORE, 1), state).require_turn()
