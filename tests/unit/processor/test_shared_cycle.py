"""The cycle that small batches of several partitions share: who is in it, and whose error is whose."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from domain.errors import (
    CommitUnknown,
    Fenced,
    NotPublished,
    StaleKnowledge,
    StoreUnavailable,
    TransactionAborted,
)
from processor.use_cases import shared_cycle
from processor.use_cases.partition_batch import PartitionBatch
from processor.use_cases.partition_fence import PartitionFence
from processor.use_cases.shared_cycle import SharedCycle
from processor.use_cases.shipment_cache import ShipmentCache
from tests.support.fakes import InMemoryShipmentStore

pytestmark = pytest.mark.race


@dataclass
class ScriptedApplier:
    """Steps that take place when the test lets them, and fail by partition or for the next transactions.

    Attributes:
        written: the partitions of each transaction that began.
        published: partitions, in order.
        hinted: the partitions of each round of hints.
        slow: a partition whose publication does not end.
        held: transactions that wait for the gate, by the partitions in them; all of them if empty.
    """

    bad: dict[int, Exception] = field(default_factory=dict)
    unpublishable: dict[int, Exception] = field(default_factory=dict)
    troubles: deque[BaseException] = field(default_factory=deque)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    written: list[list[int]] = field(default_factory=list)
    published: list[int] = field(default_factory=list)
    hinted: list[list[int]] = field(default_factory=list)
    slow: int | None = None
    held: list[list[int]] = field(default_factory=list)

    async def write(self, batches: Sequence[PartitionBatch]) -> None:
        partitions = [each.next_offset for each in batches]
        self.written.append(partitions)
        if not self.held or partitions in self.held:
            await self.gate.wait()
        if self.troubles:
            raise self.troubles.popleft()
        for partition in partitions:
            if partition in self.bad:
                raise self.bad[partition]

    async def give_hints(self, batches: Sequence[PartitionBatch]) -> None:
        self.hinted.append([each.next_offset for each in batches])

    async def publish(self, batch: PartitionBatch) -> None:
        if batch.next_offset in self.unpublishable:
            raise self.unpublishable[batch.next_offset]
        if batch.next_offset == self.slow:
            await asyncio.Event().wait()
        self.published.append(batch.next_offset)


def batch_of(partition: int) -> PartitionBatch:
    """Return a batch that can be told from others by its offset."""
    cache = ShipmentCache(1)
    return PartitionBatch(
        PartitionFence(f"events/{partition}", InMemoryShipmentStore(), cache, owner="test"),
        cache,
        [],
        partition,
    )


@dataclass
class Process:
    """A process with one cycle."""

    applier: ScriptedApplier
    cycle: SharedCycle = field(default_factory=SharedCycle)

    async def begin(self, *partitions: int) -> list[asyncio.Task[None]]:
        """Begin to apply batches; return when each of them waits."""
        tasks = [asyncio.create_task(self.cycle.run(batch_of(each), self.applier)) for each in partitions]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return tasks


async def ends(tasks: Sequence[asyncio.Task[None]]) -> list[BaseException | None]:
    """Return the result of each batch."""
    return list(await asyncio.gather(*tasks, return_exceptions=True))


@pytest.fixture
def applier() -> ScriptedApplier:
    return ScriptedApplier()


@pytest.fixture
def process(applier: ScriptedApplier) -> Process:
    return Process(applier)


async def test_batches_that_come_during_a_cycle_share_the_next_one(
    process: Process, applier: ScriptedApplier
) -> None:
    first = await process.begin(0)
    others = await process.begin(1, 2, 3)
    assert applier.written == [[0]]
    applier.gate.set()
    assert await ends([*first, *others]) == [None] * 4
    assert applier.written == applier.hinted == [[0], [1, 2, 3]]
    assert applier.published == [0, 1, 2, 3]


async def test_a_batch_that_comes_alone_waits_for_nobody(process: Process, applier: ScriptedApplier) -> None:
    applier.gate.set()
    for partition in (0, 1):
        await process.cycle.turn()
        await process.cycle.run(batch_of(partition), applier)
    assert applier.written == [[0], [1]]


async def test_all_whose_turn_it_is_after_a_cycle_share_the_next_one(
    process: Process, applier: ScriptedApplier
) -> None:
    filled: list[int] = []

    async def in_turn(partition: int) -> None:
        await process.cycle.turn()
        filled.append(partition)
        await process.cycle.run(batch_of(partition), applier)

    first = await process.begin(0)
    waiting = [asyncio.create_task(in_turn(partition)) for partition in (1, 2, 3)]
    again = await process.begin(4)
    assert filled == []
    applier.gate.set()
    await ends([*first, *waiting, *again])
    assert [sorted(each) for each in applier.written] == [[0], [1, 2, 3, 4]]


@pytest.mark.parametrize(
    "error", [Fenced("lost"), StaleKnowledge("more"), TransactionAborted(""), ValueError()]
)
async def test_one_that_cannot_be_written_fails_alone(
    process: Process, applier: ScriptedApplier, error: Exception
) -> None:
    applier.bad = {2: error}
    applier.gate.set()
    first, bad, last = await ends(await process.begin(1, 2, 3))
    assert (first, type(bad), last) == (None, type(error), None)
    assert applier.written == [[1, 2, 3], [1], [2], [3]]
    assert applier.published == [1, 3]
    assert applier.hinted == [[1], [3]]


@pytest.mark.parametrize("error", [StoreUnavailable("away"), CommitUnknown("perhaps")])
async def test_an_error_of_no_single_batch_reaches_all_and_nothing_is_tried_or_published(
    process: Process, applier: ScriptedApplier, error: Exception
) -> None:
    applier.troubles.append(error)
    applier.gate.set()
    found = await ends(await process.begin(1, 2))
    assert [(type(each), str(each)) for each in found] == [(type(error), str(error))] * 2
    assert found[0] is not found[1]
    assert applier.written == [[1, 2]]
    assert (applier.published, applier.hinted) == ([], [])


async def test_an_end_of_the_process_reaches_all_at_once(process: Process, applier: ScriptedApplier) -> None:
    class Killed(BaseException): ...

    applier.troubles.append(Killed())
    applier.gate.set()
    found = await asyncio.wait_for(ends(await process.begin(1, 2)), 1)
    assert [type(each) for each in found] == [Killed] * 2
    assert applier.written == [[1, 2]]


async def test_a_failure_does_not_stop_those_that_come_after_it(
    process: Process, applier: ScriptedApplier
) -> None:
    applier.troubles.append(StoreUnavailable("away"))
    first = await process.begin(0)
    second = await process.begin(1)
    applier.gate.set()
    assert [type(each) for each in await ends([*first, *second])] == [StoreUnavailable, type(None)]


async def test_one_that_cannot_be_published_fails_alone(process: Process, applier: ScriptedApplier) -> None:
    applier.unpublishable = {2: NotPublished("too large")}
    applier.gate.set()
    found = await ends(await process.begin(1, 2, 3))
    assert [type(each) for each in found] == [type(None), NotPublished, type(None)]
    assert applier.published == [1, 3]


async def test_one_that_publishes_slowly_does_not_keep_the_others_from_the_next_cycle(
    process: Process, applier: ScriptedApplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_cycle, "LONGEST_PUBLICATION_S", 0.0)
    applier.slow = 1
    applier.gate.set()
    slow, *others = await process.begin(1, 2)
    await ends(others)
    await process.cycle.turn()
    await process.cycle.run(batch_of(3), applier)
    assert applier.published == [2, 3]
    assert not slow.done()
    slow.cancel()
    await ends([slow])


async def test_what_nobody_waits_for_any_more_is_not_begun(
    process: Process, applier: ScriptedApplier
) -> None:
    applier.bad = {1: Fenced("lost")}
    first = await process.begin(0)
    gone, *others = await process.begin(1, 2, 3)
    gone.cancel()
    await ends([gone])
    applier.gate.set()
    assert await ends([*first, *others]) == [None] * 3
    assert applier.written == [[0], [2, 3]]


async def test_one_that_is_cancelled_while_it_is_written_is_not_published_and_stops_nobody(
    process: Process, applier: ScriptedApplier
) -> None:
    gone, stays = await process.begin(0, 1)
    gone.cancel()
    await ends([gone])
    applier.gate.set()
    assert await ends([stays]) == [None]
    await process.cycle.run(batch_of(2), applier)
    assert applier.written == [[0, 1], [2]]
    assert applier.published == [1, 2]


async def test_one_that_is_cancelled_while_others_are_written_alone_stops_nobody(
    process: Process, applier: ScriptedApplier
) -> None:
    applier.troubles.append(Fenced("lost"))
    applier.held = [[0]]
    first, gone, stays = await process.begin(0, 1, 2)
    assert applier.written == [[0, 1, 2], [0]]
    gone.cancel()
    await ends([gone])
    applier.gate.set()
    assert await ends([first, stays]) == [None, None]
    assert applier.written == [[0, 1, 2], [0], [2]]
    assert applier.published == [0, 2]


@pytest.mark.parametrize("error", [ValueError("broken"), StoreUnavailable("away")])
async def test_one_that_is_cancelled_while_its_cycle_fails_stops_nobody(
    process: Process, applier: ScriptedApplier, error: Exception
) -> None:
    applier.troubles.append(error)
    [gone] = await process.begin(0)
    gone.cancel()
    await ends([gone])
    applier.gate.set()
    await asyncio.sleep(0)
    await asyncio.wait_for(process.cycle.turn(), 1)
    await process.cycle.run(batch_of(1), applier)
    assert applier.published == [1]


async def test_one_that_is_cancelled_while_hints_are_given_leaves_them_to_the_others(
    process: Process, applier: ScriptedApplier
) -> None:
    hinting = asyncio.Event()

    async def give_hints(batches: Sequence[PartitionBatch]) -> None:
        await hinting.wait()
        applier.hinted.append([each.next_offset for each in batches])

    applier.give_hints = give_hints  # type: ignore[method-assign]
    applier.gate.set()
    gone, stays = await process.begin(0, 1)
    gone.cancel()
    await ends([gone])
    hinting.set()
    assert await ends([stays]) == [None]
    assert applier.hinted == [[0, 1]]


async def test_one_that_is_written_alone_publishes_before_the_others_are_tried(
    process: Process, applier: ScriptedApplier
) -> None:
    applier.troubles.append(TransactionAborted(""))
    applier.held = [[2]]
    tasks = await process.begin(1, 2)
    await asyncio.wait_for(tasks[0], 1)
    assert applier.published == [1]
    applier.gate.set()
    assert await ends(tasks) == [None, None]


async def test_a_store_that_goes_away_while_each_is_written_alone_is_not_tried_by_the_rest(
    process: Process, applier: ScriptedApplier
) -> None:
    applier.troubles += [TransactionAborted(""), StoreUnavailable("away")]
    applier.gate.set()
    found = await ends(await process.begin(1, 2, 3))
    assert [type(each) for each in found] == [StoreUnavailable] * 3
    assert applier.written == [[1, 2, 3], [1]]


async def test_a_cycle_that_ends_leaves_nobody_waiting(process: Process, applier: ScriptedApplier) -> None:
    tasks = await process.begin(1, 2)
    later = await process.begin(3)
    [cycle] = [task for task in asyncio.all_tasks() if task.get_name() == "shared-cycle"]
    cycle.cancel()
    found = await asyncio.wait_for(ends([*tasks, *later]), 1)
    assert [type(each) for each in found] == [CommitUnknown] * 3
    applier.gate.set()
    await process.cycle.run(batch_of(4), applier)
    assert applier.published == [4]
