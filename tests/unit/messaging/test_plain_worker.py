"""One partition of a plain consumer: retried in place; unreadable records are skipped and counted."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from domain.errors import StoreUnavailable
from messaging.consumer.plain_consumer import PlainWorker
from messaging.consumer.worker.worker_states import State
from messaging.dead_letters.records import Record
from messaging.unpacking import UnreadableBatch, UnreadableRecord
from tests.support.builders import MemoryPosition
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import log_records


@dataclass
class Reader:
    """A handler and its worker.

    Attributes:
        errors: raised by the next calls, one each.
        gate: a call waits until it is set.
        calls: the offsets of each call, failed ones too.
    """

    errors: deque[Exception] = field(default_factory=deque)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    calls: list[list[int]] = field(default_factory=list)
    skipped: int = 0

    def __post_init__(self) -> None:
        self.gate.set()
        self.worker = PlainWorker("topic/0", self.handle, max_batch=3, skipped=self._skip)

    async def handle(self, records: Sequence[Record]) -> None:
        self.calls.append([record.offset for record in records])
        await self.gate.wait()
        if self.errors:
            raise self.errors.popleft()

    def _skip(self, count: int) -> None:
        self.skipped += count


@asynccontextmanager
async def reading(reader: Reader, position: MemoryPosition | None = None) -> AsyncIterator[PlainWorker]:
    task = asyncio.create_task(reader.worker.run(position or MemoryPosition(100)))
    try:
        yield reader.worker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_batches_are_handled_in_order_and_done_only_afterwards() -> None:
    reader = Reader()
    reader.gate.clear()
    async with reading(reader) as worker:
        worker.put(log_records(0, 5))
        await wait_until(lambda: reader.calls == [[0, 1, 2]])
        assert worker.done is None
        reader.gate.set()
        await wait_until(lambda: worker.done == 5)
    assert reader.calls == [[0, 1, 2], [3, 4]]


async def test_a_transient_error_is_retried_in_place_and_shown() -> None:
    reader = Reader(errors=deque(StoreUnavailable(f"away {index}") for index in range(30)))
    async with reading(reader) as worker:
        worker.put(log_records(0, 5))
        await wait_until(lambda: worker.state is State.RETRYING)
        assert (worker.done, (worker.problem or "")[:4]) == (None, "away")
        await wait_until(lambda: worker.done == 5)
        assert (worker.state, worker.problem) == (State.RUNNING, None)
    assert reader.calls == [*[[0, 1, 2]] * 31, [3, 4]]


async def test_another_error_ends_the_worker_and_passes_nothing() -> None:
    reader = Reader(errors=deque([ValueError("bug")]))
    reader.worker.put(log_records(0, 2))
    with pytest.raises(ValueError, match="bug"):
        await reader.worker.run(MemoryPosition(2))
    assert reader.worker.done is None


async def test_draining_finishes_the_batch_in_flight_and_begins_no_other() -> None:
    reader = Reader()
    reader.gate.clear()
    async with reading(reader) as worker:
        worker.put(log_records(0, 6))
        await wait_until(lambda: bool(reader.calls))
        drain = asyncio.create_task(worker.drain())
        await asyncio.sleep(0)
        assert not drain.done()
        reader.gate.set()
        await drain
    assert (reader.calls, worker.done) == ([[0, 1, 2]], 3)


async def test_draining_does_not_wait_for_a_batch_that_is_retried() -> None:
    reader = Reader(errors=deque(StoreUnavailable("away") for _ in range(100_000)))
    async with reading(reader) as worker:
        worker.put(log_records(0, 2))
        await wait_until(lambda: worker.state is State.RETRYING)
        await asyncio.wait_for(worker.drain(), 5)
    assert worker.done is None


async def test_an_unreadable_record_is_counted_and_those_around_it_are_handled() -> None:
    reader = Reader()
    odd = UnreadableRecord("topic", 0, 1, 0, "it cannot be parsed", None, b"")
    async with reading(reader) as worker:
        worker.put([*log_records(0, 1), odd, *log_records(2, 3), UnreadableRecord(*odd_at(3))])
        await wait_until(lambda: worker.done == 4)
    assert (reader.calls, reader.skipped) == ([[0, 2]], 2)


def odd_at(offset: int) -> tuple[str, int, int, int, str, None, bytes]:
    return "topic", 0, offset, 0, "it cannot be parsed", None, b""


@pytest.mark.parametrize(("next_offset", "behind"), [(6, 6), (1_073_741_827, 9)])
async def test_an_unreadable_batch_is_counted_and_what_followed_it_is_fetched_again(
    next_offset: int, behind: int
) -> None:
    reader, position = Reader(), MemoryPosition(9)
    async with reading(reader, position) as worker:
        worker.put(
            [*log_records(0, 2), UnreadableBatch("topic", 0, 2, next_offset, "CRC"), *log_records(6, 7)]
        )
        await wait_until(lambda: position.sought == [behind])
        assert (worker.done, worker.has_room) == (behind, True)
        worker.put(log_records(behind, behind + 1))
        await wait_until(lambda: worker.done == behind + 1)
    assert (reader.calls, reader.skipped) == ([[0, 1], [behind]], behind - 2)


async def test_a_recreated_log_is_committed_from_its_beginning_whatever_is_in_flight() -> None:
    reader = Reader()
    reader.gate.clear()
    async with reading(reader) as worker:
        worker.put(log_records(50, 56))
        await wait_until(lambda: reader.calls == [[50, 51, 52]])
        worker.reopen("the topic was re-created")
        reader.gate.set()
        await wait_until(lambda: not worker.is_busy)
        assert worker.done == 0
        worker.put(log_records(0, 2))
        await wait_until(lambda: worker.done == 2)
    assert reader.calls == [[50, 51, 52], [0, 1]]
