"""The first offset of a worker: the fence decides, whatever the group has committed."""

import pytest

from domain.errors import Fenced
from domain.processing.halts import Start
from messaging.consumer.partition import halting as halting_module
from messaging.consumer.worker import worker_states
from messaging.consumer.worker.worker_states import State
from tests.support.builders import MemoryPosition
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import ScriptedHandler, log_records, worker_of, working


@pytest.fixture(autouse=True)
def _asking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halting_module, "ASK_AGAIN_S", 0.01)
    monkeypatch.setattr(worker_states, "YIELD_OWNERSHIP_S", 0.01)


@pytest.mark.parametrize("fetched", [0, 3])
async def test_what_the_fence_does_not_know_is_read_again(fetched: int) -> None:
    handler = ScriptedHandler(next_offset=4)
    worker = worker_of(handler)
    log = MemoryPosition(end=30, next=20)
    worker.put(log_records(20, 20 + fetched))
    async with working(worker, position=log):
        await wait_until(lambda: worker.state is State.RUNNING)
        assert (log.sought, worker.done) == ([4], 4)
        worker.put(log_records(4, 8))
        await wait_until(lambda: worker.done == 8)
    assert handler.offsets == [4, 5, 6, 7]


@pytest.mark.parametrize(("committed", "fetched"), [(4, 0), (2, 0), (9, 7)])
async def test_nothing_is_sought_where_the_records_come_from_the_fence_or_before(
    committed: int, fetched: int
) -> None:
    handler = ScriptedHandler(next_offset=4)
    worker = worker_of(handler)
    log = MemoryPosition(end=30, next=committed)
    worker.put(log_records(2, 2 + fetched))
    async with working(worker, position=log):
        await wait_until(lambda: worker.state is State.RUNNING and not worker.is_busy)
    assert log.sought == []
    assert handler.offsets == list(range(2, 2 + fetched))


async def test_a_store_that_is_put_back_under_its_owner_is_caught_up_with() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler)
    log = MemoryPosition(end=30)
    async with working(worker, position=log):
        worker.put(log_records(0, 10))
        await wait_until(lambda: worker.done == 10)
        log.next, handler.next_offset = 12, 3
        handler.errors.append(Fenced("the fence has gone back"))
        worker.put(log_records(10, 12))
        await wait_until(lambda: log.sought == [3])
        worker.put(log_records(3, 12))
        await wait_until(lambda: worker.done == 12)
    assert handler.offsets == [*range(10), *range(3, 12)]


async def test_a_gap_that_is_accepted_is_not_sought_again() -> None:
    handler = ScriptedHandler(next_offset=4)
    worker = worker_of(handler)
    log = MemoryPosition(end=30, next=4)
    async with working(worker, position=log):
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.halt("offset 4 is no longer in the log", is_gap=True)
        handler.requested_start = Start.EARLIEST
        await wait_until(lambda: worker.halting.restart is Start.EARLIEST)
        log.next = 20
        worker.halting.restarted(20)
        await wait_until(lambda: worker.state is State.RUNNING)
    assert (log.sought, handler.next_offset) == ([], 20)


@pytest.mark.parametrize(("applied", "sought"), [(0, []), (4, [4])])
async def test_a_log_that_was_never_read_begins_where_it_begins(applied: int, sought: list[int]) -> None:
    worker = worker_of(ScriptedHandler(next_offset=applied))
    worker.queue.is_unread = True
    log = MemoryPosition(end=30, next=20)
    async with working(worker, position=log):
        await wait_until(lambda: worker.state is State.RUNNING)
    assert log.sought == sought
