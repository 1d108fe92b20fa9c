"""Ends of a worker: drained, halted, cancelled; and the work left undone."""

import asyncio

import pytest

from domain.errors import StoreUnavailable
from messaging.consumer.worker.worker_states import State
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import ScriptedHandler, log_records, status_of, worker_of, working


async def test_draining_finishes_the_batch_in_work_and_takes_no_new_one() -> None:
    handler = ScriptedHandler()
    handler.gate.clear()
    worker = worker_of(handler, max_batch=2)
    worker.put(log_records(0, 6))
    async with working(worker) as task:
        await wait_until(lambda: handler.calls == [[0, 1]])
        drain = asyncio.create_task(worker.drain())
        await asyncio.sleep(0)
        assert not drain.done()
        handler.gate.set()
        await drain
        await task
    assert handler.applied == [[0, 1]]
    assert worker.done == 2


async def test_an_idle_worker_is_drained_at_once() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler)
    async with working(worker) as task:
        await wait_until(lambda: worker.state is State.RUNNING)
        await worker.drain()
        await task
        worker.put(log_records(0, 1))
    assert handler.calls == []


async def test_draining_does_not_wait_for_a_batch_that_is_retried() -> None:
    handler = ScriptedHandler()
    handler.errors.extend(StoreUnavailable("away") for _ in range(100_000))
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker) as task:
        await wait_until(lambda: worker.state is State.RETRYING)
        await worker.drain()
        await task
    assert worker.done is None
    assert handler.applied == []


async def test_draining_does_not_wait_out_the_pause_between_two_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("messaging.consumer.worker.worker_states.FIRST_PAUSE_S", 60.0)
    monkeypatch.setattr("messaging.consumer.worker.worker_states.LONGEST_PAUSE_S", 60.0)
    handler = ScriptedHandler()
    handler.errors.extend(StoreUnavailable("away") for _ in range(100))
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker) as task:
        await wait_until(lambda: worker.state is State.RETRYING)
        await asyncio.wait_for(worker.drain(), 10)
        await task
    assert handler.calls == [[0, 1]]
    assert worker.done is None


async def test_draining_does_not_wait_for_a_partition_that_cannot_be_taken_over() -> None:
    handler = ScriptedHandler()
    handler.open_errors.extend(StoreUnavailable("away") for _ in range(100_000))
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker):
        await wait_until(lambda: worker.state is State.RETRYING)
        await worker.drain()
    assert handler.calls == []


async def test_a_halted_worker_handles_nothing_more_and_wants_no_records() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker):
        await wait_until(lambda: worker.done == 2)
        worker.halt("the log has a hole")
        await wait_until(lambda: handler.halt is not None)
        assert status_of(worker) == (State.HALTED, "the log has a hole")
        assert not worker.has_room
        assert worker.done == 2


async def test_a_worker_halted_while_a_batch_is_in_work_finishes_it_and_stays_halted() -> None:
    handler = ScriptedHandler()
    handler.gate.clear()
    worker = worker_of(handler, max_batch=1)
    worker.put(log_records(0, 2))
    async with working(worker):
        await wait_until(lambda: bool(handler.calls))
        worker.halt("the log has a hole")
        handler.gate.set()
        await wait_until(lambda: handler.halt is not None)
    assert status_of(worker) == (State.HALTED, "the log has a hole")
    assert handler.applied == [[0]]


async def test_a_halted_worker_is_drained_at_once() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler)
    async with working(worker) as task:
        worker.halt("the log has a hole")
        await wait_until(lambda: handler.halt is not None)
        await worker.drain()
        await task
    assert worker.state is State.HALTED


@pytest.mark.parametrize("in_vain", [False, True])
async def test_a_worker_halted_while_it_takes_the_partition_over_stays_halted(
    in_vain: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    handler = ScriptedHandler()
    handler.open_gate.clear()
    if in_vain:
        handler.open_errors.append(StoreUnavailable("away"))
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker):
        await wait_until(lambda: bool(handler.opened))
        worker.halt("the log has a hole")
        handler.open_gate.set()
        await wait_until(lambda: handler.halt is not None)
    assert status_of(worker) == (State.HALTED, "the log has a hole")
    assert handler.calls == []


async def test_records_that_come_after_the_halt_are_not_handled() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler)
    async with working(worker):
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.halt("the log has a hole")
        worker.put(log_records(5, 7))
        await wait_until(lambda: handler.halt is not None)
    assert handler.calls == []
    assert worker.done is None


async def test_a_record_that_can_be_neither_applied_nor_dead_lettered_halts_the_partition() -> None:
    handler = ScriptedHandler(breaking={1: ValueError("bug")})
    handler.dead_letter_errors.append(RuntimeError("and another"))
    worker = worker_of(handler, max_batch=1)
    worker.put(log_records(0, 3))
    async with working(worker):
        await wait_until(lambda: worker.state is State.HALTED)
    assert worker.problem == "offset 1 can be neither applied nor dead-lettered: RuntimeError('and another')"
    assert worker.done == 1
    assert handler.applied == [[0]]
