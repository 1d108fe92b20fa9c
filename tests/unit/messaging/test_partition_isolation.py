"""Records that crash the process: found from the checkpoint; healthy ones are never dead-lettered."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from domain.errors import Fenced, PoisonRecord, StoreUnavailable
from domain.processing.halts import STALLED_OPENS, Attempt
from messaging.consumer.partition.isolation import MAX_ENDED
from messaging.consumer.partition.slots import Slots
from messaging.consumer.worker.worker_states import State
from messaging.dead_letters.records import DeadLetter, Record
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import ScriptedHandler, log_records, worker_of, working


class ProcessEnds(BaseException):
    """Stands for the end of the process: nothing of ours runs any more."""


@dataclass
class CrashingHandler(ScriptedHandler):
    """A handler that ends the process at the records in `crashing`: nothing is recorded afterwards.

    Attributes:
        dead_letter_crashes: how often dead-lettering the record ends the process too, even unread.
    """

    crashing: set[int] = field(default_factory=set)
    dead_letter_crashes: int = 0
    opened_at: int | None = None
    dead: bool = False

    def take_over(self) -> None:
        """Count owners without progress, as the store does."""
        self.stalled_opens = self.stalled_opens + 1 if self.opened_at == self.next_offset else 0
        self.opened_at = self.next_offset
        self.dead = False

    async def handle(self, records: Sequence[Record]) -> bool:
        if any(record.offset in self.crashing for record in records):
            self.calls.append([record.offset for record in records])
            self.dead = True
            raise ProcessEnds
        return await super().handle(records)

    async def dead_letter(self, dead_letter: DeadLetter) -> None:
        if dead_letter.record.offset in self.crashing and self.dead_letter_crashes:
            self.dead_letter_crashes -= 1
            self.dead = True
            raise ProcessEnds
        await super().dead_letter(dead_letter)

    async def attempt(self, attempt: Attempt | None) -> None:
        if not self.dead:
            await super().attempt(attempt)


async def live(handler: CrashingHandler, *, end: int, committed: int = 0) -> bool:
    """Let one process own the partition, until all is done or it ends; say whether it survived."""
    handler.take_over()
    worker = worker_of(handler, max_batch=4)
    worker.put(log_records(committed, end))
    async with working(worker, end_offset=end) as task:
        await wait_until(lambda: task.done() or worker.done == end or worker.state is State.HALTED)
        died = task.done() and isinstance(task.exception(), ProcessEnds)
    return not died


async def lives(handler: CrashingHandler, *, end: int, most: int) -> int:
    """Start processes until one survives; say how many have ended."""
    for ended in range(most):
        if await live(handler, end=end):
            return ended
    raise AssertionError(f"{most} processes have ended")


@pytest.mark.parametrize("killer", [0, 2, 5, 9])
async def test_a_record_that_crashes_the_process_is_dead_lettered_after_bounded_attempts(killer: int) -> None:
    handler = CrashingHandler(crashing={killer})
    assert await lives(handler, end=10, most=20) <= STALLED_OPENS + 1 + MAX_ENDED
    [dead_letter] = handler.dead_letters
    assert (dead_letter.record.offset, dead_letter.reason, dead_letter.attempts) == (
        killer,
        "unprocessable",
        MAX_ENDED,
    )
    assert dead_letter.error == f"the process ended {MAX_ENDED} times while it was being handled"
    assert not dead_letter.unread
    assert set(handler.offsets) == set(range(10)) - {killer}
    assert handler.current_attempt is None


async def test_a_record_that_crashes_every_reader_is_dead_lettered_unread() -> None:
    handler = CrashingHandler(crashing={1}, dead_letter_crashes=1)
    await lives(handler, end=4, most=20)
    [dead_letter] = handler.dead_letters
    assert dead_letter.unread


async def test_a_record_that_cannot_even_be_dead_lettered_halts_the_partition() -> None:
    handler = CrashingHandler(crashing={1}, dead_letter_crashes=2)
    await lives(handler, end=4, most=20)
    assert handler.halt is not None
    assert "offset 1 can be neither applied nor dead-lettered" in handler.halt.problem
    assert handler.dead_letters == []


async def test_owners_without_records_cause_no_isolation() -> None:
    handler = CrashingHandler()
    for _ in range(10):
        handler.take_over()
    worker = worker_of(handler)
    async with working(worker, end_offset=0):
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.put(log_records(0, 6))
        await wait_until(lambda: worker.done == 6)
    assert handler.applied == [[0, 1, 2, 3, 4, 5]]
    assert handler.attempts == []


async def test_one_that_ends_the_process_after_its_commit_is_found_below_the_fence() -> None:
    handler = ScriptedHandler(stalled_opens=STALLED_OPENS, next_offset=6)
    worker = worker_of(handler, max_batch=3)
    worker.put(log_records(0, 12))
    async with working(worker, end_offset=12):
        await wait_until(lambda: worker.done == 12)
    assert handler.applied == [[0, 1, 2], [3], [4], [5], [6], [7], [8], [9, 10, 11]]


async def test_isolation_ends_with_a_batchs_worth() -> None:
    handler = ScriptedHandler(stalled_opens=STALLED_OPENS)
    worker = worker_of(handler, max_batch=3)
    worker.put(log_records(0, 9))
    async with working(worker, end_offset=9):
        await wait_until(lambda: worker.done == 9)
    assert handler.applied == [[0], [1], [2], [3, 4, 5], [6, 7, 8]]
    assert handler.current_attempt is None


async def test_isolation_begins_with_the_record_that_was_being_handled() -> None:
    handler = ScriptedHandler(current_attempt=Attempt(5, 1), next_offset=2)
    worker = worker_of(handler, max_batch=4)
    worker.put(log_records(2, 12))
    async with working(worker, end_offset=12):
        await wait_until(lambda: worker.done == 12)
    assert handler.applied == [[2, 3, 4], [5], [6], [7], [8], [9, 10, 11]]
    assert handler.attempts[:2] == [Attempt(5, 2), None]


@pytest.mark.parametrize("trouble", [StoreUnavailable("away"), ValueError("bug"), Fenced("another")])
async def test_an_attempt_that_fails_in_good_order_does_not_count(trouble: Exception) -> None:
    before = Attempt(0, MAX_ENDED - 1)
    handler = ScriptedHandler(current_attempt=before)
    handler.errors.append(trouble)
    worker = worker_of(handler)
    worker.put(log_records(0, 1))
    async with working(worker, end_offset=1):
        await wait_until(lambda: worker.done == 1)
    assert handler.attempts == [Attempt(0, MAX_ENDED), before, Attempt(0, MAX_ENDED), None]
    assert (handler.applied, handler.dead_letters) == ([[0]], [])


async def test_an_attempt_that_is_broken_off_in_good_order_does_not_count() -> None:
    handler = ScriptedHandler(current_attempt=Attempt(0, 1))
    handler.gate.clear()
    worker = worker_of(handler)
    worker.put(log_records(0, 1))
    async with working(worker, end_offset=1):
        await wait_until(lambda: bool(handler.calls))
    assert handler.attempts == [Attempt(0, 2), Attempt(0, 1)]


async def test_a_cancelled_attempt_ends_even_if_nothing_can_be_recorded() -> None:
    handler = ScriptedHandler(current_attempt=Attempt(0, 1))
    handler.gate.clear()
    worker = worker_of(handler)
    worker.put(log_records(0, 1))
    async with working(worker, end_offset=1) as task:
        await wait_until(lambda: bool(handler.calls))
        handler.state_errors.append(StoreUnavailable("away"))
    assert task.cancelled()


async def tried_in_vain(handler: ScriptedHandler) -> None:
    """Let one process own the partition while the store is away."""
    handler.errors.extend(StoreUnavailable("away") for _ in range(1000))
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker, end_offset=2):
        await wait_until(lambda: worker.state is State.RETRYING)
        await worker.drain()


async def test_a_long_store_outage_does_not_dead_letter_healthy_records() -> None:
    handler = ScriptedHandler(stalled_opens=STALLED_OPENS)
    for _ in range(3 * MAX_ENDED):
        await tried_in_vain(handler)
    handler.errors.clear()
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker, end_offset=2):
        await wait_until(lambda: worker.done == 2)
    assert (handler.offsets, handler.dead_letters) == ([0, 1], [])


async def test_no_record_of_another_partition_is_being_handled_when_the_process_ends() -> None:
    """All partitions of a process that ends again and again get nowhere: only one of them is to blame."""
    alone = asyncio.Lock()
    killer = ScriptedHandler(stalled_opens=STALLED_OPENS)
    killer.gate.clear()
    healthy = ScriptedHandler(stalled_opens=STALLED_OPENS)
    workers = [
        worker_of(handler, alone=alone, slots=Slots(4, large_batch=1)) for handler in (killer, healthy)
    ]
    async with working(workers[0], end_offset=2):
        workers[0].put(log_records(0, 2))
        await wait_until(lambda: killer.current_attempt is not None)
        async with working(workers[1], end_offset=2):
            workers[1].put(log_records(0, 2))
            await wait_until(lambda: workers[1].is_busy and workers[1].state is State.RUNNING)
            await asyncio.sleep(0)
            assert healthy.current_attempt is None
            killer.gate.set()
            await wait_until(lambda: workers[1].done == 2)


async def test_an_unreadable_record_is_dead_lettered_as_such_in_isolation_too() -> None:
    handler = ScriptedHandler(stalled_opens=STALLED_OPENS, breaking={0: PoisonRecord("not JSON")})
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker, end_offset=2):
        await wait_until(lambda: worker.done == 2)
    [dead_letter] = handler.dead_letters
    assert (dead_letter.reason, dead_letter.attempts) == ("unreadable", 1)
    assert handler.current_attempt is None
