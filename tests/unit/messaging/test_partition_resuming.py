"""A halted partition: for every owner, until an operator resumes it; nothing is dead-lettered twice."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.errors import Fenced, PoisonRecord, StoreUnavailable
from domain.processing.halts import Halt, Start
from messaging.consumer.partition import halting as halting_module
from messaging.consumer.partition.dead_lettering import MAX_CONSECUTIVE_DEAD_LETTERS
from messaging.consumer.partition.partition_worker import PartitionWorker
from messaging.consumer.partition.slots import Slots
from messaging.consumer.worker import worker_states
from messaging.consumer.worker.worker_states import State
from messaging.unpacking import UnreadableBatch
from tests.support.builders import NOON, MemoryPosition
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import ScriptedHandler, log_records, status_of, worker_of, working

POISON = MAX_CONSECUTIVE_DEAD_LETTERS + 20


@pytest.fixture(autouse=True)
def _asking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halting_module, "ASK_AGAIN_S", 0.01)
    monkeypatch.setattr(worker_states, "YIELD_OWNERSHIP_S", 0.01)


def poisoned(count: int = POISON) -> ScriptedHandler:
    return ScriptedHandler(breaking={offset: PoisonRecord("a bad deploy") for offset in range(count)})


@asynccontextmanager
async def stopped(handler: ScriptedHandler, *, max_batch: int = 500) -> AsyncIterator[PartitionWorker]:
    """Give a worker that a run of dead letters has stopped."""
    worker = worker_of(handler, max_batch=max_batch)
    worker.put(log_records(0, POISON + 10))
    async with working(worker, end_offset=POISON + 10):
        await wait_until(lambda: handler.halt is not None)
        yield worker


async def test_dead_letters_of_an_unfinished_batch_are_not_redelivered() -> None:
    handler = poisoned()
    async with stopped(handler) as worker:
        assert worker.done == MAX_CONSECUTIVE_DEAD_LETTERS
        assert not worker.is_busy
    assert [dead_letter.record.offset for dead_letter in handler.dead_letters] == list(
        range(MAX_CONSECUTIVE_DEAD_LETTERS)
    )


async def test_done_advances_record_by_record_while_a_batch_is_isolated() -> None:
    handler = ScriptedHandler(breaking={3: ValueError("bug")})
    handler.dead_letter_errors.extend(StoreUnavailable("the dead letters are away") for _ in range(100_000))
    worker = worker_of(handler)
    worker.put(log_records(0, 8))
    async with working(worker, end_offset=8):
        await wait_until(lambda: worker.state is State.RETRYING)
        assert worker.done == 3
        await worker.drain()
    assert worker.done == 3
    assert handler.offsets == [0, 1, 2]


async def test_the_next_owner_is_halted_too_with_the_same_problem() -> None:
    handler = poisoned()
    async with stopped(handler) as worker:
        problem = worker.problem
    successor = worker_of(handler)
    successor.put(log_records(100, 120))
    async with working(successor, end_offset=130):
        await wait_until(lambda: successor.state is State.HALTED)
        assert status_of(successor) == (State.HALTED, problem)
        await wait_until(lambda: not successor.is_busy)
    assert len(handler.dead_letters) == MAX_CONSECUTIVE_DEAD_LETTERS
    assert handler.stops == 1


async def test_a_resumed_partition_continues_after_its_dead_letters() -> None:
    handler = poisoned()
    async with stopped(handler) as worker:
        handler.requested_start = Start.COMMITTED
        await wait_until(lambda: worker.halting.restart is Start.COMMITTED)
        assert worker.state is State.HALTED, "until the records are fetched again"
        worker.halting.restarted(MAX_CONSECUTIVE_DEAD_LETTERS)
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.put(log_records(MAX_CONSECUTIVE_DEAD_LETTERS, POISON + 10))
        await wait_until(lambda: worker.done == POISON + 10)
    assert [dead_letter.record.offset for dead_letter in handler.dead_letters] == list(range(POISON))
    assert handler.offsets == list(range(POISON, POISON + 10))
    assert handler.halt is None


async def test_a_gap_is_accepted_once_and_committed() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler)
    async with working(worker):
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.halt("offset 10 is no longer in the log", is_gap=True)
        await wait_until(lambda: handler.halt is not None)
        assert handler.halt is not None
        assert handler.halt.is_gap
        handler.requested_start = Start.EARLIEST
        await wait_until(lambda: worker.halting.restart is Start.EARLIEST)
        worker.halting.restarted(20)
        assert worker.done == 20
        worker.put(log_records(20, 22))  # of a fetch that was still under way
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.put(log_records(20, 23))
        await wait_until(lambda: worker.done == 23)
    assert handler.offsets == [20, 21, 22]


async def test_a_halt_that_cannot_be_recorded_at_once_is_recorded_later() -> None:
    handler = poisoned()
    handler.state_errors.extend(StoreUnavailable("MongoDB is away") for _ in range(5))
    async with stopped(handler) as worker:
        assert worker.state is State.HALTED
    assert not handler.state_errors


async def test_a_halt_of_a_fenced_owner_is_not_recorded_and_nothing_is_skipped() -> None:
    handler = poisoned()
    handler.state_errors.append(Fenced("somebody else"))
    worker = worker_of(handler, max_batch=500)
    worker.put(log_records(0, POISON + 10))
    async with working(worker):
        await wait_until(lambda: worker.halting.restart is Start.COMMITTED)
        assert handler.halt is None
        worker.halting.restarted(MAX_CONSECUTIVE_DEAD_LETTERS)
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.put(log_records(MAX_CONSECUTIVE_DEAD_LETTERS, POISON + 10))
        await wait_until(lambda: worker.done == POISON + 10)


async def test_a_resume_request_ends_its_halt_and_no_other() -> None:
    handler = poisoned()
    async with stopped(handler) as worker:
        handler.requested_start = Start.COMMITTED
        await wait_until(lambda: worker.halting.restart is not None)
        later = handler.halt = Halt("stopped again by another owner", NOON)
        worker.halting.restarted(MAX_CONSECUTIVE_DEAD_LETTERS)
        handler.requested_start = None
        await wait_until(lambda: worker.problem == later.problem)
        assert handler.halt == later
    assert len(handler.dead_letters) == MAX_CONSECUTIVE_DEAD_LETTERS


async def test_a_worker_that_waits_to_be_fetched_for_is_drained_at_once() -> None:
    handler = poisoned()
    async with stopped(handler) as worker:
        handler.requested_start = Start.COMMITTED
        await wait_until(lambda: worker.halting.restart is not None)
        async with asyncio.timeout(5):
            await worker.drain()


async def test_quarantined_records_neither_end_nor_extend_a_row_of_dead_letters() -> None:
    aside = set(range(0, 300, 2))
    handler = ScriptedHandler(
        breaking={offset: PoisonRecord("bad") for offset in range(300) if offset not in aside},
        quarantined=aside,
    )
    worker = worker_of(handler, max_batch=1)
    worker.put(log_records(0, 300))
    async with working(worker):
        await wait_until(lambda: worker.state is State.HALTED)
    assert worker.done == 2 * MAX_CONSECUTIVE_DEAD_LETTERS + 1
    assert len(handler.dead_letters) == MAX_CONSECUTIVE_DEAD_LETTERS


async def test_a_batch_that_cannot_be_read_halts_behind_what_can_and_is_skipped_alone() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler)
    worker.put([*log_records(0, 3), UnreadableBatch("topic", 0, 3, 5, "Invalid CRC"), *log_records(5, 6)])
    async with working(worker):
        await wait_until(lambda: handler.halt is not None)
        assert (worker.done, handler.offsets) == (3, [0, 1, 2])
        assert worker.problem == "offsets 3 to 4 cannot be read: Invalid CRC"
        assert handler.halt is not None
        assert handler.halt.skip_to == worker.halting.skip_to == 5
        handler.requested_start = Start.NEXT
        await wait_until(lambda: worker.halting.restart is Start.NEXT)
        worker.halting.restarted(5)
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.put(log_records(5, 7))
        await wait_until(lambda: worker.done == 7)
    assert handler.offsets == [0, 1, 2, 5, 6]
    assert handler.next_offset == 7


async def test_what_was_given_up_before_is_passed_over_when_it_comes_again() -> None:
    handler = ScriptedHandler(next_offset=6)
    worker = worker_of(handler)
    given_up = UnreadableBatch("topic", 0, 3, 5, "Invalid CRC")
    worker.put([*log_records(0, 3), given_up, *log_records(5, 6)])
    position = MemoryPosition(9, next=6)
    async with working(worker, position=position):
        await wait_until(lambda: worker.done == 5)
        assert position.next == 5, "what stood behind it is fetched once more"
        worker.put([*log_records(5, 7), UnreadableBatch("topic", 0, 7, 8, "Invalid CRC")])
        await wait_until(lambda: handler.halt is not None)
    assert handler.offsets == [0, 1, 2, 5, 6]
    assert worker.problem == "offset 7 cannot be read: Invalid CRC"


async def test_what_cannot_be_read_ends_where_the_log_does() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler)
    worker.put([*log_records(0, 3), UnreadableBatch("topic", 0, 3, 1_073_741_827, "Invalid CRC")])
    async with working(worker, end_offset=9):
        await wait_until(lambda: handler.halt is not None)
    assert status_of(worker) == (State.HALTED, "offsets 3 to 8 cannot be read: Invalid CRC")
    assert worker.halting.skip_to == 9


async def lost_tail(handler: ScriptedHandler, start: Start, offset: int) -> list[int]:
    """Return what is handled by a worker whose log ends at 490, and that an operator resumes."""
    worker = worker_of(handler)
    position = MemoryPosition(490, next=500)
    async with working(worker, position=position):
        await wait_until(lambda: handler.halt is not None)
        assert handler.halt is not None
        assert handler.halt.starts == (Start.NEXT, Start.EARLIEST)
        assert handler.halt.skip_to == 490
        assert worker.problem == "the log ends at 490, applied up to 500: its tail was lost"
        position.end, handler.requested_start = (
            510,
            start,
        )  # it has grown meanwhile, beyond where it was read to
        await wait_until(lambda: worker.halting.restart is start)
        position.next = offset
        worker.halting.restarted(offset)
        await wait_until(lambda: worker.state is State.RUNNING)
        assert handler.next_offset == offset, "the offsets that were lost are those of other records now"
        worker.put(log_records(offset, 496))
        await wait_until(lambda: worker.done == 496)
    assert position.sought == []
    return handler.offsets


@pytest.mark.parametrize(("start", "offset"), [(Start.NEXT, 490), (Start.EARLIEST, 480)])
async def test_a_log_that_has_lost_its_tail_stops_the_partition_until_somebody_says_where(
    start: Start, offset: int
) -> None:
    handled = await lost_tail(ScriptedHandler(next_offset=500), start, offset)
    assert handled == list(range(offset, 496))


@pytest.mark.parametrize("is_unread", [True, False])
async def test_another_log_is_read_from_its_beginning_wherever_the_last_one_was(*, is_unread: bool) -> None:
    handler = ScriptedHandler(next_offset=0)
    worker = worker_of(handler)
    worker.queue.is_unread = is_unread
    position = MemoryPosition(500)
    async with working(worker, position=position):
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.put(log_records(0, 3))
        await wait_until(lambda: worker.done == 3)
        handler.next_offset, position.next = 0, 3
        worker.reopen("the topic was re-created")
        await wait_until(lambda: len(handler.opened) == 2)
        await wait_until(lambda: worker.state is State.RUNNING)
    assert position.sought == [0]
    assert handler.others == [is_unread, True]


async def test_a_batch_in_flight_of_the_old_log_is_not_handled_with_the_new_one() -> None:
    handler = ScriptedHandler()
    handler.gate.clear()
    worker = worker_of(handler)
    worker.put(log_records(0, 3))
    async with working(worker, end_offset=3):
        await wait_until(lambda: bool(handler.calls))
        handler.errors.append(Fenced("the fence has begun again"))
        worker.reopen("the topic was re-created")
        handler.gate.set()
        await wait_until(lambda: len(handler.opened) == 2)
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.put(log_records(0, 2))
        await wait_until(lambda: worker.done == 2)
    assert handler.offsets == [0, 1]


@pytest.mark.parametrize("arrives_early", [False, True])
async def test_a_log_that_is_recreated_while_its_batch_waits_for_a_slot_is_taken_over_again(
    *, arrives_early: bool
) -> None:
    handler, slots = ScriptedHandler(), Slots(1, large_batch=1)
    worker = worker_of(handler, slots=slots)
    async with working(worker, end_offset=3):
        await wait_until(lambda: worker.state is State.RUNNING)
        async with slots.for_batch(1):
            worker.put(log_records(0, 3))
            await asyncio.sleep(0.01)  # not for a condition: it waits, and nobody sees that
            worker.reopen("the topic was re-created")
            if arrives_early:
                worker.put(log_records(0, 2))
            handler.open_gate.clear()
        await wait_until(lambda: len(handler.opened) == 2)
        assert (worker.state, handler.applied) == (State.OPENING, [])
        handler.open_gate.set()
        await wait_until(lambda: worker.state is State.RUNNING)
        if not arrives_early:
            worker.put(log_records(0, 2))
        await wait_until(lambda: worker.done == 2)
    assert handler.applied == [[0, 1]]


async def test_a_record_that_can_be_neither_applied_nor_dead_lettered_can_be_skipped() -> None:
    handler = ScriptedHandler(
        breaking={1: PoisonRecord("bad")}, dead_letter_errors=deque([ValueError("too large")])
    )
    worker = worker_of(handler)
    worker.put(log_records(0, 3))
    async with working(worker):
        await wait_until(lambda: handler.halt is not None)
        assert handler.halt is not None
        assert (worker.done, handler.halt.skip_to) == (1, 2)


async def test_a_recreated_log_is_taken_over_again() -> None:
    handler = ScriptedHandler()
    worker = worker_of(handler)
    worker.put(log_records(0, 3))
    position = MemoryPosition(3)
    async with working(worker, position=position):
        await wait_until(lambda: worker.done == 3)
        handler.next_offset = 0  # as the store says of a fence beyond the log's end
        worker.reopen("the log ends at 0")
        await wait_until(lambda: len(handler.opened) == 2)
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.put(log_records(0, 2))
        await wait_until(lambda: worker.done == 2)
    assert handler.offsets == [0, 1, 2, 0, 1]
