"""Records that break the code: isolated, retried within bounds, dead-lettered; others are applied."""

import pytest

from domain.errors import Fenced, PoisonRecord, StoreUnavailable
from messaging.consumer.partition.applying import MAX_ATTEMPTS
from messaging.consumer.partition.dead_lettering import MAX_CONSECUTIVE_DEAD_LETTERS
from messaging.consumer.worker.worker_states import State
from tests.faults.matrix import Row
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import ScriptedHandler, log_records, worker_of, working


@pytest.mark.fault(Row.POISON)
@pytest.mark.parametrize("broken", [{0}, {3}, {7}, {0, 7}, {2, 3, 4}, set(range(8))])
async def test_broken_records_are_dead_lettered_and_all_others_applied_in_order(broken: set[int]) -> None:
    handler = ScriptedHandler(breaking={offset: ValueError(f"bug {offset}") for offset in broken})
    worker = worker_of(handler)
    worker.put(log_records(0, 8))
    async with working(worker):
        await wait_until(lambda: worker.done == 8)
    assert handler.offsets == [offset for offset in range(8) if offset not in broken]
    assert [dead_letter.record.offset for dead_letter in handler.dead_letters] == sorted(broken)


@pytest.mark.fault(Row.POISON)
async def test_a_record_that_breaks_the_code_is_tried_a_bounded_number_of_times() -> None:
    handler = ScriptedHandler(breaking={1: ZeroDivisionError("x / 0")})
    worker = worker_of(handler)
    worker.put(log_records(0, 3))
    async with working(worker):
        await wait_until(lambda: worker.done == 3)
    [dead_letter] = handler.dead_letters
    assert handler.calls.count([1]) == MAX_ATTEMPTS
    assert (dead_letter.reason, dead_letter.error) == ("unprocessable", "ZeroDivisionError: x / 0")
    assert dead_letter.attempts == MAX_ATTEMPTS


async def test_an_unreadable_record_is_tried_once() -> None:
    handler = ScriptedHandler(breaking={1: PoisonRecord("data.status: no such status")})
    worker = worker_of(handler)
    worker.put(log_records(0, 3))
    async with working(worker):
        await wait_until(lambda: worker.done == 3)
    [dead_letter] = handler.dead_letters
    assert handler.calls.count([1]) == 1
    assert (dead_letter.reason, dead_letter.error) == ("unreadable", "data.status: no such status")
    assert dead_letter.attempts == 1


async def test_a_record_that_is_applied_at_a_later_attempt_is_not_dead_lettered() -> None:
    handler = ScriptedHandler()
    handler.errors.extend(ValueError("now and then") for _ in range(MAX_ATTEMPTS - 1))
    worker = worker_of(handler)
    worker.put(log_records(0, 1))
    async with working(worker):
        await wait_until(lambda: worker.done == 1)
    assert handler.dead_letters == []
    assert handler.applied == [[0]]


async def test_transient_errors_do_not_use_up_the_attempts_of_a_record() -> None:
    handler = ScriptedHandler()
    handler.errors.append(ValueError("a bug, once"))
    handler.errors.extend(StoreUnavailable("away") for _ in range(3 * MAX_ATTEMPTS))
    worker = worker_of(handler)
    worker.put(log_records(0, 1))
    async with working(worker):
        await wait_until(lambda: worker.done == 1)
    assert handler.dead_letters == []


@pytest.mark.fault(Row.DEAD_LETTERS_AWAY)
async def test_nothing_continues_before_the_dead_letter_is_stored() -> None:
    handler = ScriptedHandler(breaking={0: PoisonRecord("bad")})
    handler.dead_letter_errors.extend(StoreUnavailable("the dead letters are away") for _ in range(30))
    worker = worker_of(handler, max_batch=1)
    worker.put(log_records(0, 2))
    async with working(worker):
        await wait_until(lambda: worker.state is State.RETRYING)
        assert worker.done is None
        assert handler.applied == []
        await wait_until(lambda: worker.done == 2)
    assert len(handler.dead_letters) == 1


async def test_too_many_dead_letters_in_a_row_halt_the_partition() -> None:
    count = MAX_CONSECUTIVE_DEAD_LETTERS + 20
    handler = ScriptedHandler(breaking={offset: PoisonRecord("a bad deploy") for offset in range(count)})
    worker = worker_of(handler, max_batch=10)
    worker.put(log_records(0, count))
    async with working(worker):
        await wait_until(lambda: worker.state is State.HALTED)
    assert worker.problem is not None
    assert "a bad deploy" in worker.problem
    assert len(handler.dead_letters) == MAX_CONSECUTIVE_DEAD_LETTERS
    assert worker.done == MAX_CONSECUTIVE_DEAD_LETTERS


@pytest.mark.parametrize("good_at_once", [True, False])
async def test_a_record_that_is_applied_in_between_ends_the_row(
    good_at_once: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    good = 90
    handler = ScriptedHandler(
        breaking={offset: PoisonRecord("bad") for offset in range(180) if offset != good}
    )
    if not good_at_once:
        handler.breaking_once[good] = ValueError("a bug, once")
    worker = worker_of(handler, max_batch=1)
    worker.put(log_records(0, 180))
    async with working(worker):
        await wait_until(lambda: worker.done == 180 or worker.state is State.HALTED)
    assert worker.state is not State.HALTED
    assert len(handler.dead_letters) == 179


async def test_fencing_in_the_middle_of_an_isolation_takes_the_rest_of_the_batch_again() -> None:
    handler = ScriptedHandler(breaking={2: PoisonRecord("bad")})
    handler.dead_letter_errors.append(Fenced("somebody else"))
    worker = worker_of(handler, max_batch=4)
    worker.put(log_records(0, 4))
    async with working(worker):
        await wait_until(lambda: worker.done == 4)
    assert handler.applied == [[0, 1], [3]]
    assert [dead_letter.record.offset for dead_letter in handler.dead_letters] == [2]
