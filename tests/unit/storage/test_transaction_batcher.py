"""Group commit of batch writes: shared transactions, and the error of each write."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from domain.errors import CommitUnknown, Fenced, StaleKnowledge, StoreUnavailable
from domain.ports.core import Fence
from domain.processing.batch import Plan
from storage.mongo.processing.transaction_batcher import TransactionBatcher
from storage.mongo.processing.transaction_writer import BatchWrite, TransactionAborted, number_of
from tests.support.builders import RECORDED_AT

pytestmark = pytest.mark.race


@dataclass
class Database:
    """Database that writes when the test lets it, and fails by partition or for the next transactions.

    Attributes:
        begun: the partitions of each transaction.
    """

    bad: dict[int, Exception] = field(default_factory=dict)
    troubles: deque[Exception] = field(default_factory=deque)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[list[int]] = field(default_factory=list)

    async def write(self, batch_writes: Sequence[BatchWrite]) -> None:
        partitions = [number_of(batch_write.fence.partition) for batch_write in batch_writes]
        self.begun.append(partitions)
        await self.gate.wait()
        if self.troubles:
            raise self.troubles.popleft()
        for partition in partitions:
            if partition in self.bad:
                raise self.bad[partition]


def batch_write(partition: int) -> BatchWrite:
    return BatchWrite(Fence(f"events/{partition}", 1, 0), Plan(1), RECORDED_AT)


async def begin(batcher: TransactionBatcher, partitions: Sequence[int]) -> list[asyncio.Task[None]]:
    """Begin to write batches; return when each of them waits."""
    tasks = [asyncio.create_task(batcher.write(batch_write(partition))) for partition in partitions]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def ends(tasks: Sequence[asyncio.Task[None]]) -> list[BaseException | None]:
    """Return the result of each write."""
    return list(await asyncio.gather(*tasks, return_exceptions=True))


async def test_writes_during_a_transaction_share_the_next_one() -> None:
    database = Database()
    batcher = TransactionBatcher(database.write)
    first = await begin(batcher, [0])
    others = await begin(batcher, [1, 2, 3])
    assert database.begun == [[0]]
    database.gate.set()
    assert await ends([*first, *others]) == [None] * 4
    assert database.begun == [[0], [1, 2, 3]]


async def test_a_late_write_does_not_wait_for_others() -> None:
    database = Database()
    database.gate.set()
    batcher = TransactionBatcher(database.write)
    await batcher.write(batch_write(0))
    await batcher.write(batch_write(1))
    assert database.begun == [[0], [1]]


@pytest.mark.parametrize(
    "error", [Fenced("lost"), StaleKnowledge("more"), TransactionAborted(""), ValueError()]
)
async def test_a_write_with_a_lost_fence_fails_alone(error: Exception) -> None:
    database = Database(bad={2: error})
    database.gate.set()
    first, bad, last = await ends(await begin(TransactionBatcher(database.write), [1, 2, 3]))
    assert (first, type(bad), last) == (None, type(error), None)
    assert database.begun == [[1, 2, 3], [1], [2], [3]]


@pytest.mark.parametrize("error", [StoreUnavailable("away"), CommitUnknown("perhaps")])
async def test_an_error_of_no_single_write_reaches_all_and_is_not_retried(error: Exception) -> None:
    database = Database(troubles=deque([error]))
    database.gate.set()
    found = await ends(await begin(TransactionBatcher(database.write), [1, 2]))
    assert [(type(each), str(each)) for each in found] == [(type(error), str(error))] * 2
    assert found[0] is not found[1]
    assert database.begun == [[1, 2]]


async def test_a_failure_does_not_stop_those_that_come_after_it() -> None:
    database = Database(troubles=deque([StoreUnavailable("away")]))
    batcher = TransactionBatcher(database.write)
    first = await begin(batcher, [0])
    second = await begin(batcher, [1])
    database.gate.set()
    assert [type(each) for each in await ends([*first, *second])] == [StoreUnavailable, type(None)]


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    database = Database(bad={1: Fenced("lost")})
    batcher = TransactionBatcher(database.write)
    first = await begin(batcher, [0])
    gone, *others = await begin(batcher, [1, 2, 3])
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    database.gate.set()
    assert await ends([*first, *others]) == [None] * 3
    assert database.begun == [[0], [2, 3]]


async def test_an_owner_that_is_cancelled_stops_nobody_else() -> None:
    database = Database()
    batcher = TransactionBatcher(database.write)
    gone, stays = await begin(batcher, [0, 1])
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    database.gate.set()
    assert await ends([stays]) == [None]
    await batcher.write(batch_write(2))
    assert database.begun == [[0, 1], [2]]
