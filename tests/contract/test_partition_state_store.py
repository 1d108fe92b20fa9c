"""`PartitionStateStore` and what a new owner inherits: bound to the epoch, and whole."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import Fenced
from domain.ports.core import Fence
from domain.processing.halts import Attempt, Halt, PartitionView, QuarantinePut, Resumption, Start
from tests.contract.partition_stores import TOPIC, PartitionStores
from tests.support.builders import NOON, RECORDED_AT, consumed_all, creation, ends_at, number, plan_for

PARTITION = f"{TOPIC}/3"
HALT = Halt("a hundred dead letters in a row", NOON)
GAP = Halt("offset 10 is no longer in the log", NOON + timedelta(milliseconds=1), is_gap=True)
LOST_TAIL = Halt("its tail was lost", NOON, is_gap=True, skip_to=490)
RESUMPTION = Resumption(
    halted_since=HALT.since,
    start=Start.COMMITTED,
    reason="the old version is back",
    requested_by="admin_user",
    requested_at=RECORDED_AT,
)
CREATION = plan_for(consumed_all(creation()))


async def acquired(stores: PartitionStores, *, end_offset: int = 100) -> Fence:
    return await stores.shipments.acquire(PARTITION, owner="processor-1", end_offset=ends_at(end_offset))


async def test_a_new_owner_inherits_what_was_noted(partition_stores: PartitionStores) -> None:
    first = await acquired(partition_stores)
    assert (first.checkpoint.halt, first.checkpoint.attempt) == (None, None)
    await partition_stores.state.note_halt(first, GAP)
    await partition_stores.state.note_attempt(first, Attempt(17, 2))
    second = await acquired(partition_stores, end_offset=50)
    found = second.checkpoint
    assert (found.halt, found.attempt, found.end_offset) == (GAP, Attempt(17, 2), 50)
    await partition_stores.state.note_halt(second, None)
    await partition_stores.state.note_attempt(second, None)
    third = (await acquired(partition_stores)).checkpoint
    assert (third.halt, third.attempt) == (None, None)


async def test_the_owner_before_notes_nothing_any_more(partition_stores: PartitionStores) -> None:
    before = await acquired(partition_stores)
    await acquired(partition_stores)
    for noting in (
        partition_stores.state.note_halt(before, HALT),
        partition_stores.state.note_attempt(before, Attempt(1, 1)),
    ):
        with pytest.raises(Fenced):
            await noting
    now = (await acquired(partition_stores)).checkpoint
    assert (now.halt, now.attempt) == (None, None)


async def test_what_the_log_has_lost_is_given_up(partition_stores: PartitionStores) -> None:
    before = await acquired(partition_stores)
    assert (await partition_stores.state.give_up(before, 20)).next_offset == 20
    now = await acquired(partition_stores)
    assert now.next_offset == 20
    assert (await partition_stores.state.give_up(now, 5)).next_offset == 20, "what is applied stays applied"
    with pytest.raises(Fenced):
        await partition_stores.state.give_up(before, 30)


async def test_owners_that_get_nowhere_are_counted_until_one_gets_on(
    partition_stores: PartitionStores,
) -> None:
    stalled = [(await acquired(partition_stores)).checkpoint.stalled_opens for _ in range(4)]
    assert stalled == [0, 1, 2, 3]
    fence = await acquired(partition_stores)
    await partition_stores.shipments.commit([(fence, CREATION)], recorded_at=RECORDED_AT)
    got_on = (await acquired(partition_stores)).checkpoint
    assert (got_on.stalled_opens, got_on.next_offset) == (0, 1)
    assert (await acquired(partition_stores)).checkpoint.stalled_opens == 1


async def test_owners_that_find_nothing_to_do_are_not_counted(partition_stores: PartitionStores) -> None:
    fence = await acquired(partition_stores)
    await partition_stores.shipments.commit([(fence, CREATION)], recorded_at=RECORDED_AT)
    idle = [(await acquired(partition_stores, end_offset=1)).checkpoint.stalled_opens for _ in range(10)]
    assert idle == [0] * 10
    busy = [(await acquired(partition_stores, end_offset=2)).checkpoint.stalled_opens for _ in range(2)]
    assert busy == [1, 2]


async def test_an_attempt_in_a_recreated_topic_is_forgotten(partition_stores: PartitionStores) -> None:
    first = await acquired(partition_stores)
    [first] = await partition_stores.shipments.commit([(first, CREATION)], recorded_at=RECORDED_AT)
    await partition_stores.state.note_attempt(first, Attempt(0, 5))
    for expected in (0, 1):
        checkpoint = (await acquired(partition_stores, end_offset=expected)).checkpoint
        assert (checkpoint.attempt, checkpoint.next_offset, checkpoint.stalled_opens) == (None, 0, expected)


async def test_partitions_are_shown_in_order_and_those_of_other_topics_are_not(
    partition_stores: PartitionStores,
) -> None:
    for name in (f"{TOPIC}/10", f"{TOPIC}/2", f"{TOPIC}.dlq/0", f"{TOPIC}0/1", f"other-{TOPIC}/4"):
        await partition_stores.shipments.acquire(name, owner=f"owner of {name}", end_offset=ends_at(0))
    views = await partition_stores.control.partitions()
    assert views == [
        PartitionView(
            topic=TOPIC,
            number=shown,
            owner=f"owner of {TOPIC}/{shown}",
            epoch=1,
            next_offset=0,
            halt=None,
            resumption=None,
        )
        for shown in (2, 10)
    ]
    assert await partition_stores.control.partition(10) == views[1]
    assert await partition_stores.control.partition(4) is None


async def test_a_resume_request_is_shown_and_followed_only_for_its_halt(
    partition_stores: PartitionStores,
) -> None:
    fence = await acquired(partition_stores)
    await partition_stores.state.note_halt(fence, HALT)
    assert await partition_stores.state.resumption(PARTITION, HALT) is None
    await partition_stores.control.resume(PARTITION, RESUMPTION)
    assert await partition_stores.state.resumption(PARTITION, HALT) == RESUMPTION
    view = await partition_stores.control.partition(3)
    assert view is not None
    assert (view.halt, view.resumption) == (HALT, RESUMPTION)
    await partition_stores.state.note_halt(fence, GAP)
    assert await partition_stores.state.resumption(PARTITION, GAP) is None
    assert [(each.halt, each.resumption) for each in await partition_stores.control.partitions()] == [
        (GAP, None)
    ]


async def test_a_later_request_replaces_an_earlier_one(partition_stores: PartitionStores) -> None:
    await partition_stores.state.note_halt(await acquired(partition_stores), GAP)
    await partition_stores.control.resume(PARTITION, RESUMPTION)
    later = replace(RESUMPTION, halted_since=GAP.since, start=Start.EARLIEST)
    await partition_stores.control.resume(PARTITION, later)
    assert await partition_stores.state.resumption(PARTITION, GAP) == later
    actions = await partition_stores.operator_actions()
    assert [(action["action"], action["target"], action["by"]) for action in actions] == [
        ("partition.resumed", PARTITION, "admin_user")
    ] * 2
    assert sorted(action["details"]["from"] for action in actions) == ["committed", "earliest"]
    assert await partition_stores.state.resumption(PARTITION, HALT) is None


async def test_a_tail_lost_by_the_log_does_not_count_as_applied(partition_stores: PartitionStores) -> None:
    await partition_stores.state.give_up(await acquired(partition_stores), 20)
    halted = await acquired(partition_stores)
    await partition_stores.state.note_halt(halted, LOST_TAIL)
    now = await acquired(partition_stores)
    assert (await partition_stores.state.give_up(now, 15)).next_offset == 15
    assert (await partition_stores.state.give_up(now, 25)).next_offset == 20
    await partition_stores.state.give_up(now, 15)
    assert (await acquired(partition_stores)).next_offset == 15


@pytest.mark.parametrize(
    ("halt", "starts"),
    [
        (HALT, (Start.COMMITTED,)),
        (GAP, (Start.EARLIEST,)),
        (LOST_TAIL, (Start.NEXT, Start.EARLIEST)),
        (replace(HALT, skip_to=8), (Start.COMMITTED, Start.NEXT)),
    ],
)
def test_each_halt_has_its_ways_on(halt: Halt, starts: tuple[Start, ...]) -> None:
    assert halt.starts == starts


async def test_shipments_are_quarantined_and_released(partition_stores: PartitionStores) -> None:
    one, other = (partition_stores.quarantined(index) for index in (2, 1))
    assert await partition_stores.quarantine.put(one, most=2) is QuarantinePut.DONE
    assert await partition_stores.quarantine.put(other, most=2) is QuarantinePut.DONE
    ordered = sorted((one, other), key=lambda entry: entry.tracking_number)
    assert await partition_stores.quarantine.entries() == ordered
    later = NOON + timedelta(minutes=1)
    assert await partition_stores.quarantine.remove(number(2), by="other_admin", at=later)
    assert not await partition_stores.quarantine.remove(number(2), by="other_admin", at=later)
    assert await partition_stores.quarantine.entries() == [other]
    actions = await partition_stores.operator_actions()
    assert {
        (action["action"], action["target"], action["by"], action["reason"]) for action in actions[:2]
    } == {("key.quarantined", number(index), "admin_user", "a bug") for index in (1, 2)}
    [action] = actions[2:]
    assert (action["action"], action["target"], action["by"]) == ("key.released", number(2), "other_admin")


async def test_a_full_quarantine_takes_no_other_shipment_but_updates_one(
    partition_stores: PartitionStores,
) -> None:
    entry = partition_stores.quarantined(1)
    assert await partition_stores.quarantine.put(entry, most=1) is QuarantinePut.DONE
    assert (
        await partition_stores.quarantine.put(partition_stores.quarantined(2), most=1) is QuarantinePut.FULL
    )
    updated = replace(entry, reason="another", since=NOON + timedelta(minutes=1))
    assert await partition_stores.quarantine.put(updated, most=1) is QuarantinePut.DONE
    assert await partition_stores.quarantine.entries() == [updated]
    assert [action["reason"] for action in await partition_stores.operator_actions()] == ["a bug", "another"]


async def test_an_end_is_recorded_by_the_owner_alone_and_inherited(partition_stores: PartitionStores) -> None:
    before = await acquired(partition_stores)
    owner = await acquired(partition_stores)
    assert not owner.checkpoint.has_ended
    with pytest.raises(Fenced):
        await partition_stores.state.note_end(before)
    assert await partition_stores.state.ended([PARTITION]) == set()
    await partition_stores.state.note_end(owner)
    assert await partition_stores.state.ended([PARTITION, f"{TOPIC}/4"]) == {PARTITION}
    assert (await acquired(partition_stores)).checkpoint.has_ended


async def test_partitions_of_later_topics_are_shown_after_those_that_they_follow(
    partition_stores: PartitionStores,
) -> None:
    fences = {
        name: await partition_stores.shipments.acquire(name, owner="p", end_offset=ends_at(0))
        for name in (f"{TOPIC}-100/3", f"{TOPIC}-24/3", f"{TOPIC}-24/10", PARTITION)
    }
    views = await partition_stores.control.partitions()
    assert [(view.name, view.has_ended) for view in views] == [
        (name, False) for name in (PARTITION, f"{TOPIC}-24/3", f"{TOPIC}-24/10", f"{TOPIC}-100/3")
    ]
    assert await partition_stores.control.partition(3) == views[3]
    await partition_stores.state.note_halt(fences[f"{TOPIC}-24/3"], HALT)
    await partition_stores.state.note_halt(fences[PARTITION], HALT)
    halted = await partition_stores.control.partition(3)
    assert halted is not None
    assert halted.name == PARTITION, "what comes first is resumed first"
    await partition_stores.state.note_end(fences[PARTITION])
    after = await partition_stores.control.partition(3)
    assert after is not None
    assert after.name == f"{TOPIC}-24/3"
    assert (await partition_stores.control.partitions())[0].has_ended
