"""One partition's worker: order, batches, retries in place, yielding."""

import asyncio

import pytest

from domain.errors import CommitUnknown, Fenced, NotPublished, StoreUnavailable, TransientError
from messaging.consumer.partition.applying import MAX_ATTEMPTS
from messaging.consumer.partition.slots import Slots
from messaging.consumer.worker.worker_states import State
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import ScriptedHandler, log_records, status_of, worker_of, working


async def test_records_are_applied_in_the_order_of_their_offsets() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler)
    async with working(worker):
        for first in range(0, 60, 3):
            worker.put(log_records(first, first + 3))
            await asyncio.sleep(0)
        await wait_until(lambda: worker.done == 60)
    assert handler.offsets == list(range(60))


async def test_a_batch_is_what_has_arrived_and_never_more_than_the_limit() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler, max_batch=4)
    worker.put(log_records(0, 10))
    async with working(worker):
        await wait_until(lambda: worker.done == 10)
    assert [len(batch) for batch in handler.applied] == [4, 4, 2]


async def test_the_partition_is_taken_over_with_the_logs_end_before_any_record_is_handled() -> None:
    handler = ScriptedHandler()
    handler.open_errors.append(StoreUnavailable("not yet"))
    worker = worker_of(handler)
    worker.put(log_records(0, 1))
    async with working(worker, end_offset=77):
        await wait_until(lambda: worker.done == 1)
    assert handler.opened == [77, 77]
    assert handler.calls == [[0]]


@pytest.mark.parametrize("trouble", [StoreUnavailable, CommitUnknown, NotPublished])
async def test_a_transient_error_is_retried_in_place_for_as_long_as_it_takes(
    trouble: type[TransientError],
) -> None:
    handler = ScriptedHandler()
    handler.errors.extend(trouble(str(attempt)) for attempt in range(20 * MAX_ATTEMPTS))
    worker = worker_of(handler)
    worker.put(log_records(0, 3))
    async with working(worker):
        await wait_until(lambda: worker.done == 3)
    assert handler.calls == [[0, 1, 2]] * (20 * MAX_ATTEMPTS + 1)
    assert handler.dead_letters == []


async def test_a_worker_that_retries_says_so_until_it_gets_through() -> None:
    handler = ScriptedHandler()
    handler.errors.extend(StoreUnavailable("MongoDB is away") for _ in range(50))
    worker = worker_of(handler)
    worker.put(log_records(0, 1))
    async with working(worker):
        await wait_until(lambda: worker.state is State.RETRYING)
        assert status_of(worker) == (State.RETRYING, "MongoDB is away")
        await wait_until(lambda: worker.done == 1)
        assert status_of(worker) == (State.RUNNING, None)


async def test_a_partition_that_retries_leaves_its_slot_to_others() -> None:
    slots = Slots(1, large_batch=1)
    stuck, healthy = ScriptedHandler(), ScriptedHandler()
    stuck.errors.extend(StoreUnavailable("") for _ in range(100_000))
    workers = [worker_of(handler, slots=slots) for handler in (stuck, healthy)]
    for worker in workers:
        worker.put(log_records(0, 3))
    async with working(workers[0]), working(workers[1]):
        await wait_until(lambda: workers[1].done == 3)
    assert workers[0].done is None


async def test_a_small_batch_is_handled_while_large_ones_have_all_slots() -> None:
    slots = Slots(1, large_batch=3)
    large, small, other = ScriptedHandler(), ScriptedHandler(), ScriptedHandler()
    large.gate.clear()
    workers = [worker_of(handler, slots=slots) for handler in (large, small, other)]
    for worker, count in zip(workers, (3, 2, 3), strict=True):
        worker.put(log_records(0, count))
    async with working(workers[0]), working(workers[1]), working(workers[2]):
        await wait_until(lambda: workers[1].done == 2)
        assert (large.calls, other.calls) == ([[0, 1, 2]], [])
        large.gate.set()
        await wait_until(lambda: workers[2].done == 3)


async def test_done_never_passes_a_record_that_is_not_applied() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler, max_batch=2)
    worker.put(log_records(0, 6))
    async with working(worker):
        await wait_until(lambda: worker.done == 6)
        handler.gate.clear()
        worker.put(log_records(6, 9))
        await wait_until(lambda: handler.calls[-1] == [6, 7])
        assert worker.done == 6
        handler.gate.set()
        await wait_until(lambda: worker.done == 9)


async def test_a_fenced_worker_yields_and_takes_the_same_batch_first() -> None:
    handler = ScriptedHandler()
    handler.errors.append(Fenced("somebody else"))
    worker = worker_of(handler, max_batch=3)
    worker.put(log_records(0, 7))
    async with working(worker):
        await wait_until(lambda: worker.done == 7)
    assert handler.calls == [[0, 1, 2], [0, 1, 2], [3, 4, 5], [6]]
    assert len(handler.opened) == 2


async def test_a_worker_that_is_fenced_while_it_takes_over_tries_again() -> None:
    handler = ScriptedHandler()
    handler.open_errors.append(Fenced("somebody else"))
    worker = worker_of(handler)
    worker.put(log_records(0, 1))
    async with working(worker):
        await wait_until(lambda: worker.done == 1)
    assert len(handler.opened) == 2


async def test_a_fenced_worker_says_that_it_lost_the_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.consumer.worker.worker_states.YIELD_OWNERSHIP_S", 60.0)
    handler = ScriptedHandler()
    handler.errors.append(Fenced("somebody else"))
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker):
        await wait_until(lambda: worker.state is State.LOST)
        assert status_of(worker) == (State.LOST, "somebody else")
        assert worker.is_busy
        assert worker.done is None


async def test_more_is_fetched_while_one_batch_waits_beside_the_one_in_work() -> None:
    handler = ScriptedHandler()
    handler.gate.clear()
    worker = worker_of(handler, max_batch=2)
    async with working(worker):
        worker.put(log_records(0, 2))
        await wait_until(lambda: handler.calls == [[0, 1]])
        rooms = [worker.has_room]
        worker.put(log_records(2, 4))
        rooms.append(worker.has_room)
        handler.gate.set()
        await wait_until(lambda: worker.done == 4)
        rooms.append(worker.has_room)
    assert rooms == [True, False, True]
    assert not worker.is_busy


async def test_records_that_arrive_until_its_turn_are_in_the_small_batch() -> None:
    turn, handler = asyncio.Event(), ScriptedHandler()
    worker = worker_of(handler, slots=Slots(1, large_batch=6, turn=turn.wait))
    async with working(worker):
        for first in range(0, 8, 2):
            worker.put(log_records(first, first + 2))
            await asyncio.sleep(0)
        assert handler.calls == []
        turn.set()
        await wait_until(lambda: worker.done == 8)
    assert handler.calls == [[0, 1, 2, 3, 4], [5, 6, 7]], "without a slot it has not become a large one"


async def test_a_large_batch_waits_for_no_turn() -> None:
    never, handler = asyncio.Event(), ScriptedHandler()
    worker = worker_of(handler, slots=Slots(1, large_batch=3, turn=never.wait))
    worker.put(log_records(0, 3))
    async with working(worker):
        await wait_until(lambda: worker.done == 3)
    assert handler.calls == [[0, 1, 2]]


async def test_a_worker_that_is_stopped_before_its_turn_begins_nothing() -> None:
    turn, handler = asyncio.Event(), ScriptedHandler()
    worker = worker_of(handler, slots=Slots(1, large_batch=3, turn=turn.wait))
    async with working(worker):
        worker.put(log_records(0, 1))
        await asyncio.sleep(0)
        await worker.drain()
        turn.set()
        await asyncio.sleep(0.01)
    assert handler.calls == []
