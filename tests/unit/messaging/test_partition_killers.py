"""Records that end the process: found by what the owners before have left; the healthy are never buried."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from domain.errors import Fenced, PoisonRecord, StoreUnavailable
from domain.processing.halts import STALLED_OPENS, Attempt
from messaging.consumer.isolation import MAX_ENDED
from messaging.consumer.slots import Slots
from messaging.consumer.worker_states import State
from messaging.dead_letters.records import DeadLetter, Record
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import ScriptedHandler, log_records, worker_of, working


class ProcessEnds(BaseException):
    """Stands for the end of the process: nothing of ours runs any more."""


@dataclass
class MortalHandler(ScriptedHandler):
    """Dies at the records in `killers`: nothing is noted any more, and whoever waits for the lock dies too.

    Attributes:
        bury_kills: how often putting the killer down is the end as well, and how often even unread.
    """

    killers: set[int] = field(default_factory=set)
    bury_kills: int = 0
    opened_at: int | None = None
    dead: bool = False

    def take_over(self) -> None:
        """Count owners without progress, as the store does."""
        self.stalled_opens = self.stalled_opens + 1 if self.opened_at == self.next_offset else 0
        self.opened_at = self.next_offset
        self.dead = False

    async def handle(self, records: Sequence[Record]) -> bool:
        if any(record.offset in self.killers for record in records):
            self.calls.append([record.offset for record in records])
            self.dead = True
            raise ProcessEnds
        return await super().handle(records)

    async def bury(self, letter: DeadLetter) -> None:
        if letter.record.offset in self.killers and self.bury_kills:
            self.bury_kills -= 1
            self.dead = True
            raise ProcessEnds
        await super().bury(letter)

    async def attempt(self, attempt: Attempt | None) -> None:
        if not self.dead:
            await super().attempt(attempt)


async def live(handler: MortalHandler, *, end: int, committed: int = 0) -> bool:
    """Let one process own the partition, until all is done or it ends; say whether it survived."""
    handler.take_over()
    worker = worker_of(handler, max_batch=4)
    worker.put(log_records(committed, end))
    async with working(worker, end_offset=end) as task:
        await wait_until(lambda: task.done() or worker.done == end or worker.state is State.HALTED)
        died = task.done() and isinstance(task.exception(), ProcessEnds)
    return not died


async def lives(handler: MortalHandler, *, end: int, most: int) -> int:
    """Start processes until one survives; say how many have ended."""
    for ended in range(most):
        if await live(handler, end=end):
            return ended
    raise AssertionError(f"{most} processes have ended")


@pytest.mark.parametrize("killer", [0, 2, 5, 9])
async def test_a_record_that_ends_the_process_is_buried_after_bounded_attempts(killer: int) -> None:
    handler = MortalHandler(killers={killer})
    assert await lives(handler, end=10, most=20) <= STALLED_OPENS + 1 + MAX_ENDED
    [letter] = handler.buried
    assert (letter.record.offset, letter.reason, letter.attempts) == (killer, "unprocessable", MAX_ENDED)
    assert letter.error == f"the process ended {MAX_ENDED} times while it was being handled"
    assert not letter.unread
    assert set(handler.offsets) == set(range(10)) - {killer}
    assert handler.in_hand is None


async def test_one_that_cannot_be_read_without_dying_is_buried_unread() -> None:
    handler = MortalHandler(killers={1}, bury_kills=1)
    await lives(handler, end=4, most=20)
    [letter] = handler.buried
    assert letter.unread


async def test_one_that_cannot_even_be_buried_stops_the_line() -> None:
    handler = MortalHandler(killers={1}, bury_kills=2)
    await lives(handler, end=4, most=20)
    assert handler.halt is not None
    assert "offset 1 can be neither applied nor buried" in handler.halt.problem
    assert handler.buried == []


async def test_owners_that_find_nothing_to_do_make_nobody_careful() -> None:
    handler = MortalHandler()
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


async def test_caution_ends_with_a_batchs_worth() -> None:
    handler = ScriptedHandler(stalled_opens=STALLED_OPENS)
    worker = worker_of(handler, max_batch=3)
    worker.put(log_records(0, 9))
    async with working(worker, end_offset=9):
        await wait_until(lambda: worker.done == 9)
    assert handler.applied == [[0], [1], [2], [3, 4, 5], [6, 7, 8]]
    assert handler.in_hand is None


async def test_caution_begins_with_the_record_that_was_in_hand() -> None:
    handler = ScriptedHandler(in_hand=Attempt(5, 1), next_offset=2)
    worker = worker_of(handler, max_batch=4)
    worker.put(log_records(2, 12))
    async with working(worker, end_offset=12):
        await wait_until(lambda: worker.done == 12)
    assert handler.applied == [[2, 3, 4], [5], [6], [7], [8], [9, 10, 11]]
    assert handler.attempts[:2] == [Attempt(5, 2), None]


@pytest.mark.parametrize("trouble", [StoreUnavailable("away"), ValueError("bug"), Fenced("another")])
async def test_an_attempt_that_fails_in_good_order_does_not_count(trouble: Exception) -> None:
    before = Attempt(0, MAX_ENDED - 1)
    handler = ScriptedHandler(in_hand=before)
    handler.troubles.append(trouble)
    worker = worker_of(handler)
    worker.put(log_records(0, 1))
    async with working(worker, end_offset=1):
        await wait_until(lambda: worker.done == 1)
    assert handler.attempts == [Attempt(0, MAX_ENDED), before, Attempt(0, MAX_ENDED), None]
    assert (handler.applied, handler.buried) == ([[0]], [])


async def test_an_attempt_that_is_broken_off_in_good_order_does_not_count() -> None:
    handler = ScriptedHandler(in_hand=Attempt(0, 1))
    handler.gate.clear()
    worker = worker_of(handler)
    worker.put(log_records(0, 1))
    async with working(worker, end_offset=1):
        await wait_until(lambda: bool(handler.calls))
    assert handler.attempts == [Attempt(0, 2), Attempt(0, 1)]


async def test_a_broken_off_attempt_ends_even_if_nothing_can_be_noted() -> None:
    handler = ScriptedHandler(in_hand=Attempt(0, 1))
    handler.gate.clear()
    worker = worker_of(handler)
    worker.put(log_records(0, 1))
    async with working(worker, end_offset=1) as task:
        await wait_until(lambda: bool(handler.calls))
        handler.note_troubles.append(StoreUnavailable("away"))
    assert task.cancelled()


async def tried_in_vain(handler: ScriptedHandler) -> None:
    """Let one process own the partition while the store is away."""
    handler.troubles.extend(StoreUnavailable("away") for _ in range(1000))
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker, end_offset=2):
        await wait_until(lambda: worker.state is State.RETRYING)
        await worker.drain()


async def test_a_store_that_is_away_for_long_does_not_bury_what_is_healthy() -> None:
    handler = ScriptedHandler(stalled_opens=STALLED_OPENS)
    for _ in range(3 * MAX_ENDED):
        await tried_in_vain(handler)
    handler.troubles.clear()
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker, end_offset=2):
        await wait_until(lambda: worker.done == 2)
    assert (handler.offsets, handler.buried) == ([0, 1], [])


async def test_a_healthy_record_of_another_partition_is_not_in_hand_when_the_process_ends() -> None:
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
        await wait_until(lambda: killer.in_hand is not None)
        async with working(workers[1], end_offset=2):
            workers[1].put(log_records(0, 2))
            await wait_until(lambda: workers[1].is_busy and workers[1].state is State.RUNNING)
            await asyncio.sleep(0)
            assert healthy.in_hand is None
            killer.gate.set()
            await wait_until(lambda: workers[1].done == 2)


async def test_a_record_that_is_unreadable_is_buried_as_such_however_careful() -> None:
    handler = ScriptedHandler(stalled_opens=STALLED_OPENS, breaking={0: PoisonRecord("not JSON")})
    worker = worker_of(handler)
    worker.put(log_records(0, 2))
    async with working(worker, end_offset=2):
        await wait_until(lambda: worker.done == 2)
    [letter] = handler.buried
    assert (letter.reason, letter.attempts) == ("unreadable", 1)
    assert handler.in_hand is None
