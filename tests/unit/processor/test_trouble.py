"""Crashes, lost answers and other owners: an event changes its shipment once, whatever happens."""

import pytest

from domain.errors import CommitUnknown, Fenced, NotPublished, StoreUnavailable, TransientError
from domain.ports.core import Fence
from domain.shipments.commands import Command
from domain.shipments.status import Status
from tests.support.builders import NUMBER, ROUTE, creation, ends_at, report
from tests.support.records import record_of, records_of
from tests.unit.processor.rig import NAME, Rig, counters

JOURNEY: tuple[Command, ...] = (creation(), *(report(status) for status in ROUTE))
IDS = [command.event_id for command in JOURNEY]


async def test_redelivered_records_change_nothing_but_are_told_again(rig: Rig) -> None:
    await rig.applied(*JOURNEY)
    next_owner = await rig.partition()
    await next_owner.handle(
        [record_of(command, offset, reply_to=f"answers:{offset}") for offset, command in enumerate(JOURNEY)]
    )
    assert rig.statuses(NUMBER) == ["created", *ROUTE]
    assert [counters(rig.event(command)) for command in JOURNEY] == [(1, 0, 0)] * 5
    assert rig.told() == IDS * 2
    assert [rig.answers.sent[f"answers:{offset}"][0].event_id for offset in range(5)] == IDS
    assert rig.store.calls["commit"] == 1


async def test_a_batch_half_of_which_was_committed_before_is_finished(rig: Rig) -> None:
    await rig.applied(*JOURNEY[:3])
    next_owner = await rig.partition()
    await next_owner.handle(records_of(*JOURNEY))
    assert rig.statuses(NUMBER) == ["created", *ROUTE]
    assert rig.documents.fences[NAME].next_offset == 5


async def test_redelivered_records_do_not_move_the_fence_back(rig: Rig) -> None:
    await rig.applied(*JOURNEY)
    next_owner = await rig.partition()
    await next_owner.handle(records_of(*JOURNEY[:2]))
    assert rig.documents.fences[NAME].next_offset == 5


async def test_redelivered_duplicates_are_not_counted_twice(rig: Rig) -> None:
    records = records_of(*JOURNEY[:2], JOURNEY[1], JOURNEY[1])
    first = await rig.partition()
    await first.handle(records)
    next_owner = await rig.partition()
    await next_owner.handle(records[1:])
    assert counters(rig.event(JOURNEY[1])) == (1, 2, 0)


@pytest.mark.parametrize("went_through", [False, True])
async def test_a_commit_whose_end_is_unknown_is_repeated_without_harm(
    rig: Rig,
    went_through: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    partition = await rig.partition()
    rig.store.fail_next("commit", CommitUnknown("the answer was lost"), after=went_through)
    records = records_of(*JOURNEY, JOURNEY[1])
    with pytest.raises(CommitUnknown):
        await partition.handle(records)
    await partition.handle(records)
    assert rig.statuses(NUMBER) == ["created", *ROUTE]
    assert counters(rig.event(JOURNEY[1])) == (1, 1, 0)
    assert list(dict.fromkeys(rig.told())) == IDS
    assert rig.documents.fences[NAME].next_offset == 6


async def test_nothing_is_told_before_the_commit_is_known(rig: Rig) -> None:
    partition = await rig.partition()
    rig.store.fail_next("commit", CommitUnknown("the answer was lost"), after=True)
    with pytest.raises(CommitUnknown):
        await partition.handle(records_of(*JOURNEY, reply_to="answers:a"))
    assert rig.told() == []
    assert rig.answers.sent == {}


async def test_a_commit_that_goes_through_after_it_was_given_up_does_not_count_as_another_owner(
    rig: Rig,
) -> None:
    partition = await rig.partition()
    fence = rig.documents.fences[NAME]
    rig.store.fail_next("commit", StoreUnavailable("timeout"), after=True)
    with pytest.raises(StoreUnavailable):
        await partition.handle(records_of(*JOURNEY[:2]))
    rig.store.fail_next("refresh", StoreUnavailable("still away"))
    with pytest.raises(StoreUnavailable):
        await partition.handle(records_of(*JOURNEY[:2]))
    await partition.handle(records_of(*JOURNEY[:2]))
    assert rig.documents.fences[NAME].epoch == fence.epoch
    assert counters(rig.event(JOURNEY[1])) == (1, 0, 0)


async def test_a_late_commit_of_ours_between_plan_and_write_is_noticed(rig: Rig) -> None:
    partition, twin = await rig.partition(), await rig.partition()
    # The twin stands for our own transaction that reached the server late: same epoch, same records.
    records = records_of(*JOURNEY[:3])
    await twin.handle(records)
    partition._fence = Fence(NAME, rig.documents.fences[NAME].epoch, 0)  # noqa: SLF001  # no other way to be late
    with pytest.raises(CommitUnknown):
        await partition.handle(records)
    await partition.handle(records)
    assert rig.statuses(NUMBER) == ["created", "picked_up", "in_warehouse"]
    assert [counters(rig.event(command)) for command in JOURNEY[:3]] == [(1, 0, 0)] * 3


async def test_an_owner_that_was_replaced_writes_and_tells_nothing(rig: Rig) -> None:
    zombie = await rig.applied(*JOURNEY[:2])
    await rig.partition()
    rig.feed.published.clear()
    with pytest.raises(Fenced):
        await zombie.handle(records_of(*JOURNEY[2:], first_offset=2, reply_to="answers:a"))
    assert rig.statuses(NUMBER) == ["created", "picked_up"]
    assert (rig.told(), rig.answers.sent) == ([], {})


async def test_owners_that_take_the_partition_from_each_other_do_no_harm(rig: Rig) -> None:
    one, other = await rig.partition(), await rig.partition()
    for first in range(len(JOURNEY)):
        records = records_of(*JOURNEY[: first + 1])
        with pytest.raises(Fenced):
            await one.handle(records)
        await one.open(ends_at(100))
        await one.handle(records)
        one, other = other, one
    assert rig.statuses(NUMBER) == ["created", *ROUTE]
    assert [counters(rig.event(command)) for command in JOURNEY] == [(1, 0, 0)] * 5


@pytest.mark.parametrize("call", ["find_events", "load", "commit", "refresh", "acquire"])
async def test_a_store_that_is_away_loses_nothing(rig: Rig, call: str) -> None:
    partition = await rig.partition()
    rig.store.fail_next(call, StoreUnavailable("away"))
    records = records_of(*JOURNEY, report(Status.CANCELLED))
    for _ in range(2):
        try:
            await partition.open(ends_at(100))
            await partition.handle(records)
        except TransientError:
            continue
    assert rig.statuses(NUMBER) == ["created", *ROUTE]
    assert rig.event(report(Status.CANCELLED))["outcome"] == "rejected"


async def test_a_change_that_could_not_be_told_is_told_when_the_batch_comes_again(rig: Rig) -> None:
    partition = await rig.partition()
    rig.feed.fail_next("publish", NotPublished("Kafka is away"))
    with pytest.raises(NotPublished):
        await partition.handle(records_of(*JOURNEY))
    await partition.handle(records_of(*JOURNEY))
    assert rig.told() == IDS
    assert [counters(rig.event(command)) for command in JOURNEY] == [(1, 0, 0)] * 5


async def test_a_fence_beyond_the_logs_end_does_not_hide_new_records(rig: Rig) -> None:
    await rig.applied(*JOURNEY[:3])
    again = await rig.partition(end_offset=2)
    await again.handle(records_of(*JOURNEY[3:]))
    assert rig.statuses(NUMBER) == ["created", *ROUTE]
    assert rig.documents.fences[NAME].next_offset == 2
