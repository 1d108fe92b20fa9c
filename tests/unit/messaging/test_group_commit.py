"""Group commit: what goes together, in which order, and what becomes of those who wait."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.errors import NotPublished, PublishUnknown
from messaging.producer.group_commit import GroupCommit, Partition

pytestmark = pytest.mark.race

A: Partition = ("events", 0)
B: Partition = ("events", 1)


class Appends:
    """Takes batches, and lets each wait until the test ends it."""

    def __init__(self) -> None:
        self.begun: list[tuple[Partition, Sequence[int]]] = []
        self.deadlines: list[float] = []
        self.ends: list[asyncio.Future[None]] = []

    async def deliver(self, partition: Partition, records: Sequence[int], deadline: float) -> None:
        self.begun.append((partition, list(records)))
        self.deadlines.append(deadline)
        self.ends.append(asyncio.get_running_loop().create_future())
        await self.ends[-1]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.begun) < count:  # noqa: ASYNC110  # the loop has nothing else to do
                await asyncio.sleep(0)


def group_commit(appends: Appends, *, pace_s: float = 0.0) -> GroupCommit[int]:
    return GroupCommit(appends.deliver, within_s=5.0, pace_s=pace_s)


async def test_what_comes_meanwhile_goes_into_the_next_batch_in_its_order() -> None:
    appends = Appends()
    commit = group_commit(appends)
    callers = [asyncio.create_task(commit.append(A, 0))]
    await appends.until(1)
    callers += [asyncio.create_task(commit.append(A, index)) for index in range(1, 6)]
    await asyncio.sleep(0)
    appends.ends[0].set_result(None)
    await appends.until(2)
    assert appends.begun == [(A, [0]), (A, [1, 2, 3, 4, 5])]
    assert callers[0].done()
    assert not any(caller.done() for caller in callers[1:])
    appends.ends[1].set_result(None)
    await asyncio.gather(*callers)


async def test_a_partition_that_hangs_holds_up_no_other() -> None:
    appends = Appends()
    commit = group_commit(appends)
    hanging = [asyncio.create_task(commit.append(A, index)) for index in range(2)]
    await appends.until(1)
    late = asyncio.create_task(commit.append(A, 2))
    other = asyncio.create_task(commit.append(B, 3))
    await appends.until(2)
    assert appends.begun == [(A, [0, 1]), (B, [3])]
    appends.ends[1].set_result(None)
    await other
    assert not late.done()
    appends.ends[0].set_result(None)
    await appends.until(3)
    appends.ends[2].set_result(None)
    await asyncio.gather(*hanging, late)


async def test_rounds_keep_their_pace_but_the_first_record_does_not_wait() -> None:
    appends = Appends()
    commit = group_commit(appends, pace_s=0.2)
    loop = asyncio.get_running_loop()
    started = loop.time()
    first = asyncio.create_task(commit.append(A, 0))
    await appends.until(1)
    assert loop.time() - started < 0.2
    appends.ends[0].set_result(None)
    await first
    others = [
        asyncio.create_task(commit.append(partition, index)) for index, partition in enumerate((A, B, A))
    ]
    await appends.until(3)
    assert loop.time() - started >= 0.2
    assert sorted(appends.begun[1:]) == [(A, [0, 2]), (B, [1])]
    for end in appends.ends[1:]:
        end.set_result(None)
    await asyncio.gather(*others)


async def test_all_callers_of_a_failed_batch_get_its_error_and_the_next_one_is_appended() -> None:
    appends = Appends()
    commit = group_commit(appends)
    callers = [asyncio.create_task(commit.append(A, index)) for index in range(3)]
    await appends.until(1)
    after = asyncio.create_task(commit.append(A, 3))
    await asyncio.sleep(0)
    appends.ends[0].set_exception(PublishUnknown("no answer"))
    errors = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(error) for error in errors] == ["no answer"] * 3
    assert len({id(error) for error in errors}) == 3, "each has a traceback of its own"
    await appends.until(2)
    appends.ends[1].set_result(None)
    await after


async def test_a_caller_that_goes_takes_nothing_back_and_nobody_with_it() -> None:
    appends = Appends()
    commit = group_commit(appends)
    gone, stays = (asyncio.create_task(commit.append(A, index)) for index in range(2))
    await appends.until(1)
    gone.cancel()
    await asyncio.wait((gone,))
    assert gone.cancelled()
    assert appends.begun == [(A, [0, 1])]
    appends.ends[0].set_exception(NotPublished("no connection"))
    with pytest.raises(NotPublished):
        await stays


async def test_the_time_of_a_batch_is_that_of_its_first_record() -> None:
    appends = Appends()
    commit = group_commit(appends)
    before = asyncio.get_running_loop().time()
    first = asyncio.create_task(commit.append(A, 0))
    await appends.until(1)
    second = asyncio.create_task(commit.append(A, 1))
    await asyncio.sleep(0.05)
    third = asyncio.create_task(commit.append(A, 2))
    appends.ends[0].set_result(None)
    await appends.until(2)
    assert before + 5.0 <= appends.deadlines[1] < asyncio.get_running_loop().time() + 5.0 - 0.04
    appends.ends[1].set_result(None)
    await asyncio.gather(first, second, third)
