"""Joined moves: what goes together, and who is told what."""

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
    """Takes transactions once it may, and fails as it is told: by partition, or the next ones of all.

    Attributes:
        begun: the partitions of each transaction.
    """

    bad: dict[int, Exception] = field(default_factory=dict)
    troubles: deque[Exception] = field(default_factory=deque)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[list[int]] = field(default_factory=list)

    async def write(self, moves: Sequence[BatchWrite]) -> None:
        partitions = [number_of(move.fence.partition) for move in moves]
        self.begun.append(partitions)
        await self.gate.wait()
        if self.troubles:
            raise self.troubles.popleft()
        for partition in partitions:
            if partition in self.bad:
                raise self.bad[partition]


def move(partition: int) -> BatchWrite:
    return BatchWrite(Fence(f"events/{partition}", 1, 0), Plan(1), RECORDED_AT)


async def begin(joined: TransactionBatcher, partitions: Sequence[int]) -> list[asyncio.Task[None]]:
    """Begin to write moves, and go on when each of them waits."""
    tasks = [asyncio.create_task(joined.write(move(partition))) for partition in partitions]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def ends(tasks: Sequence[asyncio.Task[None]]) -> list[BaseException | None]:
    """Return how writing ended, each."""
    return list(await asyncio.gather(*tasks, return_exceptions=True))


async def test_what_comes_meanwhile_goes_together() -> None:
    database = Database()
    joined = TransactionBatcher(database.write)
    first = await begin(joined, [0])
    others = await begin(joined, [1, 2, 3])
    assert database.begun == [[0]]
    database.gate.set()
    assert await ends([*first, *others]) == [None] * 4
    assert database.begun == [[0], [1, 2, 3]]


async def test_one_that_comes_later_does_not_wait_for_company() -> None:
    database = Database()
    database.gate.set()
    joined = TransactionBatcher(database.write)
    await joined.write(move(0))
    await joined.write(move(1))
    assert database.begun == [[0], [1]]


@pytest.mark.parametrize(
    "error", [Fenced("lost"), StaleKnowledge("more"), TransactionAborted(""), ValueError()]
)
async def test_one_that_does_not_hold_fails_alone(error: Exception) -> None:
    database = Database(bad={2: error})
    database.gate.set()
    first, bad, last = await ends(await begin(TransactionBatcher(database.write), [1, 2, 3]))
    assert (first, type(bad), last) == (None, type(error), None)
    assert database.begun == [[1, 2, 3], [1], [2], [3]]


@pytest.mark.parametrize("error", [StoreUnavailable("away"), CommitUnknown("perhaps")])
async def test_what_says_nothing_of_any_one_is_told_to_all_and_not_repeated(error: Exception) -> None:
    database = Database(troubles=deque([error]))
    database.gate.set()
    found = await ends(await begin(TransactionBatcher(database.write), [1, 2]))
    assert [(type(each), str(each)) for each in found] == [(type(error), str(error))] * 2
    assert found[0] is not found[1]
    assert database.begun == [[1, 2]]


async def test_a_failure_does_not_stop_those_that_come_after_it() -> None:
    database = Database(troubles=deque([StoreUnavailable("away")]))
    joined = TransactionBatcher(database.write)
    first = await begin(joined, [0])
    second = await begin(joined, [1])
    database.gate.set()
    assert [type(each) for each in await ends([*first, *second])] == [StoreUnavailable, type(None)]


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    database = Database(bad={1: Fenced("lost")})
    joined = TransactionBatcher(database.write)
    first = await begin(joined, [0])
    gone, *others = await begin(joined, [1, 2, 3])
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    database.gate.set()
    assert await ends([*first, *others]) == [None] * 3
    assert database.begun == [[0], [2, 3]]


async def test_an_owner_that_is_cancelled_stops_nobody_else() -> None:
    database = Database()
    joined = TransactionBatcher(database.write)
    gone, stays = await begin(joined, [0, 1])
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    database.gate.set()
    assert await ends([stays]) == [None]
    await joined.write(move(2))
    assert database.begun == [[0, 1], [2]]
