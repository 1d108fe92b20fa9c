"""Crashes, lost responses and other owners: an event changes its shipment once, whatever happens."""

import pytest

from domain.errors import CommitUnknown, Fenced, NotPublished, StoreUnavailable, TransientError
from domain.ports.core import Fence
from domain.processing.batch import LARGE_BATCH
from domain.shipments.commands import Command
from domain.shipments.status import Status
from tests.support.builders import NUMBER, ROUTE, creation, ends_at, number, report
from tests.support.records import record_of, records_of
from tests.unit.processor.harness import NAME, ProcessorHarness, counters

JOURNEY: tuple[Command, ...] = (creation(), *(report(status) for status in ROUTE))
IDS = [command.event_id for command in JOURNEY]


async def test_redelivered_records_change_nothing_but_are_published_again(harness: ProcessorHarness) -> None:
    await harness.applied(*JOURNEY)
    next_owner = await harness.partition()
    await next_owner.handle(
        [record_of(command, offset, reply_to=f"answers:{offset}") for offset, command in enumerate(JOURNEY)]
    )
    assert harness.statuses(NUMBER) == ["created", *ROUTE]
    assert [counters(harness.event(command)) for command in JOURNEY] == [(1, 0, 0)] * 5
    assert harness.published_ids() == IDS * 2
    assert [harness.replies.sent[f"answers:{offset}"][0].event_id for offset in range(5)] == IDS
    assert harness.store.calls["commit"] == 1


async def test_a_batch_half_of_which_was_committed_before_is_finished(harness: ProcessorHarness) -> None:
    await harness.applied(*JOURNEY[:3])
    next_owner = await harness.partition()
    await next_owner.handle(records_of(*JOURNEY))
    assert harness.statuses(NUMBER) == ["created", *ROUTE]
    assert harness.documents.fences[NAME].next_offset == 5


async def test_redelivered_records_do_not_move_the_fence_back(harness: ProcessorHarness) -> None:
    await harness.applied(*JOURNEY)
    next_owner = await harness.partition()
    await next_owner.handle(records_of(*JOURNEY[:2]))
    assert harness.documents.fences[NAME].next_offset == 5


async def test_redelivered_duplicates_are_not_counted_twice(harness: ProcessorHarness) -> None:
    records = records_of(*JOURNEY[:2], JOURNEY[1], JOURNEY[1])
    first = await harness.partition()
    await first.handle(records)
    next_owner = await harness.partition()
    await next_owner.handle(records[1:])
    assert counters(harness.event(JOURNEY[1])) == (1, 2, 0)


@pytest.mark.parametrize("went_through", [False, True])
async def test_a_commit_whose_end_is_unknown_is_repeated_without_harm(
    harness: ProcessorHarness,
    went_through: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    partition = await harness.partition()
    harness.store.fail_next("commit", CommitUnknown("the response was lost"), after=went_through)
    records = records_of(*JOURNEY, JOURNEY[1])
    with pytest.raises(CommitUnknown):
        await partition.handle(records)
    await partition.handle(records)
    assert harness.statuses(NUMBER) == ["created", *ROUTE]
    assert counters(harness.event(JOURNEY[1])) == (1, 1, 0)
    assert list(dict.fromkeys(harness.published_ids())) == IDS
    assert harness.documents.fences[NAME].next_offset == 6


async def test_nothing_is_published_before_the_transaction_is_known(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    harness.store.fail_next("commit", CommitUnknown("the response was lost"), after=True)
    with pytest.raises(CommitUnknown):
        await partition.handle(records_of(*JOURNEY, reply_to="answers:a"))
    assert harness.published_ids() == []
    assert harness.replies.sent == {}


async def test_a_commit_that_goes_through_after_it_was_given_up_does_not_count_as_another_owner(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.partition()
    fence = harness.documents.fences[NAME]
    harness.store.fail_next("commit", StoreUnavailable("timeout"), after=True)
    with pytest.raises(StoreUnavailable):
        await partition.handle(records_of(*JOURNEY[:2]))
    harness.store.fail_next("refresh", StoreUnavailable("still away"))
    with pytest.raises(StoreUnavailable):
        await partition.handle(records_of(*JOURNEY[:2]))
    await partition.handle(records_of(*JOURNEY[:2]))
    assert harness.documents.fences[NAME].epoch == fence.epoch
    assert counters(harness.event(JOURNEY[1])) == (1, 0, 0)


async def test_a_late_commit_of_ours_between_plan_and_write_is_noticed(harness: ProcessorHarness) -> None:
    partition, twin = await harness.partition(), await harness.partition()
    # The twin stands for our own transaction that reached the server late: same epoch, same records.
    records = records_of(*JOURNEY[:3])
    await twin.handle(records)
    partition._fence.held = Fence(NAME, harness.documents.fences[NAME].epoch, 0)  # noqa: SLF001  # no other way to be late
    with pytest.raises(CommitUnknown):
        await partition.handle(records)
    await partition.handle(records)
    assert harness.statuses(NUMBER) == ["created", "picked_up", "in_warehouse"]
    assert [counters(harness.event(command)) for command in JOURNEY[:3]] == [(1, 0, 0)] * 3


async def test_a_replaced_owner_writes_and_publishes_nothing(harness: ProcessorHarness) -> None:
    zombie = await harness.applied(*JOURNEY[:2])
    await harness.partition()
    harness.feed.published.clear()
    with pytest.raises(Fenced):
        await zombie.handle(records_of(*JOURNEY[2:], first_offset=2, reply_to="answers:a"))
    assert harness.statuses(NUMBER) == ["created", "picked_up"]
    assert (harness.published_ids(), harness.replies.sent) == ([], {})


async def test_owners_that_take_the_partition_from_each_other_do_no_harm(harness: ProcessorHarness) -> None:
    one, other = await harness.partition(), await harness.partition()
    for first in range(len(JOURNEY)):
        records = records_of(*JOURNEY[: first + 1])
        with pytest.raises(Fenced):
            await one.handle(records)
        await one.open(ends_at(100))
        await one.handle(records)
        one, other = other, one
    assert harness.statuses(NUMBER) == ["created", *ROUTE]
    assert [counters(harness.event(command)) for command in JOURNEY] == [(1, 0, 0)] * 5


@pytest.mark.parametrize("call", ["find_events", "load", "commit", "refresh", "acquire"])
async def test_a_store_that_is_away_loses_nothing(harness: ProcessorHarness, call: str) -> None:
    partition = await harness.partition()
    harness.store.fail_next(call, StoreUnavailable("away"))
    records = records_of(*JOURNEY, report(Status.CANCELLED))
    for _ in range(2):
        try:
            await partition.open(ends_at(100))
            await partition.handle(records)
        except TransientError:
            continue
    assert harness.statuses(NUMBER) == ["created", *ROUTE]
    assert harness.event(report(Status.CANCELLED))["outcome"] == "rejected"


async def test_an_unpublished_change_is_published_when_the_batch_is_retried(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.partition()
    harness.feed.fail_next("publish", NotPublished("Kafka is away"))
    with pytest.raises(NotPublished):
        await partition.handle(records_of(*JOURNEY))
    await partition.handle(records_of(*JOURNEY))
    assert harness.published_ids() == IDS
    assert [counters(harness.event(command)) for command in JOURNEY] == [(1, 0, 0)] * 5


async def test_an_unpublished_change_of_a_large_batch_is_published_when_it_is_retried(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.partition()
    commands = [creation(number(index)) for index in range(LARGE_BATCH)]
    harness.feed.fail_next("publish", NotPublished("Kafka is away"))
    with pytest.raises(NotPublished):
        await partition.handle(records_of(*commands))
    await partition.handle(records_of(*commands))
    assert harness.published_ids() == [command.event_id for command in commands]


async def test_a_fence_beyond_the_logs_end_does_not_hide_new_records(harness: ProcessorHarness) -> None:
    await harness.applied(*JOURNEY[:3])
    again = await harness.partition(end_offset=2)
    await again.handle(records_of(*JOURNEY[3:]))
    assert harness.statuses(NUMBER) == ["created", *ROUTE]
    assert harness.documents.fences[NAME].next_offset == 2
