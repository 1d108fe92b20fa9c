"""The consumer loop on a real Kafka: from the beginning, from where it stopped, and shared."""

import asyncio
from itertools import pairwise

import pytest

from messaging.settings import KafkaSettings
from tests.integration.messaging.consuming import Group, running
from tests.support.waiting import wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def group(kafka: KafkaSettings) -> Group:
    return Group(kafka)


async def test_the_first_start_reads_from_the_beginning_each_partition_in_order_and_once(
    group: Group,
) -> None:
    await group.write(150, 0)
    await group.write(70, 1)
    async with running(group.runtime()):
        await group.all_committed()
        await group.write(50, 0)
        await group.all_committed()
    assert group.journal.offsets == {0: list(range(200)), 1: list(range(70))}


async def test_a_loop_that_starts_before_the_first_record_misses_none(group: Group) -> None:
    runtime = group.runtime()
    async with running(runtime):
        await wait_until(lambda: runtime.is_ready, timeout_s=10)
        for _ in range(5):
            await group.write(3, 0)
            await group.write(3, 1)
        await group.all_committed()
    assert group.journal.offsets == {0: list(range(15)), 1: list(range(15))}


async def test_the_second_start_resumes_where_the_first_stopped(group: Group) -> None:
    await group.write(100, 0)
    async with running(group.runtime("a")):
        await wait_until(lambda: group.journal.count > 0, timeout_s=10)
    committed = (await group.committed())[0]
    assert group.journal.offsets[0] == list(range(committed)), "what is done is committed at the end"
    await group.write(30, 0)
    async with running(group.runtime("b")):
        await group.all_committed()
    assert group.journal.offsets[0] == list(range(130))


async def test_a_handler_is_opened_with_the_end_of_its_log(group: Group) -> None:
    await group.write(12, 0)
    async with running(group.runtime()):
        await group.all_committed()
    assert group.journal.opened == {0: [("a", 12)], 1: [("a", 0)]}


async def test_two_loops_share_the_partitions_and_one_takes_all_when_the_other_stops(group: Group) -> None:
    one, other = group.runtime("one"), group.runtime("other")
    async with running(one):
        await wait_until(lambda: one.is_ready, timeout_s=10)
        async with running(other):
            await wait_until(
                lambda: len({opened[-1][0] for opened in group.journal.opened.values()}) == 2, timeout_s=15
            )
            for _ in range(4):
                await group.write(25, 0)
                await group.write(25, 1)
            await group.all_committed()
        await group.write(50, 0)
        await group.write(50, 1)
        await group.all_committed()
    assert {opened[-1][0] for opened in group.journal.opened.values()} == {"one"}
    assert group.journal.offsets == {0: list(range(150)), 1: list(range(150))}


async def test_a_handover_in_the_middle_of_the_work_skips_nothing_and_keeps_the_order(group: Group) -> None:
    await group.write(400, 0)
    await group.write(400, 1)
    one, other = group.runtime("one"), group.runtime("other")
    async with running(one):
        await wait_until(lambda: group.journal.count > 40, timeout_s=10)
        async with running(other):
            await wait_until(lambda: group.journal.count > 200, timeout_s=15)
        await group.all_committed()
    for offsets in group.journal.offsets.values():
        assert set(offsets) == set(range(400))
        assert all(following <= offset + 1 for offset, following in pairwise(offsets)), "a record was skipped"


async def test_the_batch_in_work_is_finished_and_committed_before_the_loop_ends(group: Group) -> None:
    group.journal.gates[0] = asyncio.Event()
    await group.write(90, 0)
    runtime = group.runtime()
    task = asyncio.create_task(runtime.run())
    await wait_until(lambda: group.journal.begun[0] == 1, timeout_s=10)
    runtime.stop()
    group.journal.gates[0].set()
    await task
    handled = group.journal.offsets[0]
    assert 0 < len(handled) <= 20, "one batch, no more"
    assert await group.committed() == {0: len(handled)}


async def test_a_batch_that_is_not_done_within_the_drain_is_not_committed(group: Group) -> None:
    group.journal.gates[0] = asyncio.Event()
    await group.write(10, 0)
    async with running(group.runtime(drain_s=0.2)):
        await wait_until(lambda: group.journal.begun[0] == 1, timeout_s=10)
    assert (await group.committed()).get(0) is None
    del group.journal.gates[0]
    async with running(group.runtime()):
        await group.all_committed()
    assert group.journal.offsets[0] == list(range(10))
