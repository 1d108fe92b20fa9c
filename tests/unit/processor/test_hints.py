"""Shipment cache and duplicate filter save work, and neither is trusted too far."""

import asyncio
from dataclasses import replace

import pytest

from domain.errors import CommitUnknown
from domain.shipments.commands import Command
from domain.shipments.shipment import Shipment
from domain.shipments.status import Status
from messaging.log.partitioning import partition_of
from processor.use_cases.shipment_cache import ShipmentCache
from tests.support.builders import NUMBER, ROUTE, creation, ends_at, number, report, shipment_after
from tests.support.records import records_of
from tests.unit.processor.harness import ProcessorHarness, counters

CREATION = creation()
PICKED_UP = report(Status.PICKED_UP)
JOURNEY: tuple[Command, ...] = (CREATION, *(report(status) for status in ROUTE))


def shipment(index: int) -> Shipment:
    return shipment_after(creation(number(index)))


def test_the_cache_forgets_what_was_used_longest_ago() -> None:
    cache = ShipmentCache(3)
    cache.put(shipment(index) for index in range(3))
    cache.get(number(0))
    cache.put([shipment(3)])
    kept = [index for index in range(4) if cache.get(number(index)) is not None]
    assert kept == [0, 2, 3]


def test_the_cache_keeps_the_last_state_of_a_shipment() -> None:
    cache = ShipmentCache(2)
    moved = shipment_after(CREATION, PICKED_UP)
    cache.put([shipment_after(CREATION)])
    cache.put([moved])
    assert cache.get(NUMBER) == moved
    cache.clear()
    assert cache.get(NUMBER) is None


async def test_a_shipment_written_by_the_batch_before_is_not_read_again(harness: ProcessorHarness) -> None:
    partition = await harness.applied(CREATION)
    await partition.handle(records_of(PICKED_UP, first_offset=1))
    assert harness.store.loaded == [{NUMBER}, set()]
    assert harness.statuses(NUMBER) == ["created", "picked_up"]


async def test_a_shipment_that_left_the_cache_is_read_again(harness: ProcessorHarness) -> None:
    partition = await harness.partition(cache_size=2)
    numbers = [number(index) for index in range(4)]
    await partition.handle(records_of(*(creation(each) for each in numbers)))
    await partition.handle(records_of(*(report(Status.PICKED_UP, each) for each in numbers), first_offset=4))
    assert harness.store.loaded[1] == set(numbers[:2])
    assert [harness.statuses(each) for each in numbers] == [["created", "picked_up"]] * 4


async def test_a_new_owner_reads_what_the_one_before_wrote(harness: ProcessorHarness) -> None:
    first = await harness.applied(CREATION)
    second = await harness.partition()
    await second.handle(records_of(PICKED_UP, first_offset=1))
    await first.open(ends_at(100))
    await first.handle(records_of(report(Status.IN_WAREHOUSE), first_offset=2))
    assert harness.statuses(NUMBER) == ["created", "picked_up", "in_warehouse"]


async def test_nothing_of_a_commit_that_failed_stays_in_the_cache(harness: ProcessorHarness) -> None:
    partition = await harness.applied(CREATION)
    harness.store.fail_next("commit", CommitUnknown("lost"))
    with pytest.raises(CommitUnknown):
        await partition.handle(records_of(PICKED_UP, first_offset=1))
    await partition.handle(records_of(report(Status.IN_TRANSIT), first_offset=1))
    assert harness.event(report(Status.IN_TRANSIT))["reason"] == "INVALID_TRANSITION"


async def test_a_commit_that_went_through_unheard_leaves_nothing_older_in_the_cache(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.applied(CREATION)
    harness.store.fail_next("commit", CommitUnknown("the response was lost"), after=True)
    with pytest.raises(CommitUnknown):
        await partition.handle(records_of(PICKED_UP, first_offset=1))
    await partition.handle(records_of(PICKED_UP, first_offset=1))
    await partition.handle(records_of(report(Status.IN_WAREHOUSE), first_offset=2))
    assert harness.statuses(NUMBER) == ["created", "picked_up", "in_warehouse"]


async def test_an_event_that_the_filter_knows_is_counted_without_loading_its_shipment(
    harness: ProcessorHarness,
) -> None:
    await harness.applied(CREATION, PICKED_UP)
    partition = await harness.partition()
    await partition.handle(records_of(PICKED_UP, CREATION, first_offset=2))
    assert harness.store.loaded[-1] == set()
    assert counters(harness.event(PICKED_UP)) == (1, 1, 0)
    assert counters(harness.event(CREATION)) == (1, 1, 0)
    assert harness.published_ids() == [CREATION.event_id, PICKED_UP.event_id]


async def test_known_and_new_events_of_one_shipment_are_distinguished(harness: ProcessorHarness) -> None:
    await harness.applied(CREATION, PICKED_UP)
    partition = await harness.partition()
    in_warehouse = report(Status.IN_WAREHOUSE)
    await partition.handle(records_of(PICKED_UP, in_warehouse, in_warehouse, first_offset=2))
    assert harness.statuses(NUMBER) == ["created", "picked_up", "in_warehouse"]
    assert counters(harness.event(in_warehouse)) == (1, 1, 0)


async def test_the_filter_does_not_take_a_conflict_for_a_duplicate(harness: ProcessorHarness) -> None:
    partition = await harness.applied(CREATION, PICKED_UP)
    other = replace(PICKED_UP, notes="something else")
    await partition.handle(records_of(other, first_offset=2))
    assert counters(harness.event(PICKED_UP)) == (1, 0, 1)


async def test_the_filter_is_not_asked_where_a_caller_waits_for_a_reply(harness: ProcessorHarness) -> None:
    partition = await harness.applied(CREATION)
    await partition.handle(records_of(CREATION, first_offset=1, reply_to="answers:a"))
    assert harness.filter.asked == [1, 0]
    [reply] = harness.replies.sent["answers:a"]
    assert (reply.outcome, reply.reason, reply.timestamp) == ("applied", None, CREATION.timestamp)


async def test_partitions_that_share_a_cycle_are_looked_up_and_written_at_once(
    harness: ProcessorHarness,
) -> None:
    owned = await harness.partitions(3)
    first_in = [
        next(each for each in map(number, range(50)) if partition_of(each.encode(), 3) == place)
        for place in range(3)
    ]
    batches = [
        [
            replace(record, partition=place)
            for record in records_of(creation(each), report(Status.PICKED_UP, each))
        ]
        for place, each in enumerate(first_in)
    ]
    await asyncio.gather(*(one.handle(batch) for one, batch in zip(owned, batches, strict=True)))
    assert harness.filter.asked == [6]
    assert harness.store.loaded == [set(first_in)]
    assert harness.store.calls["commit"] == 1
    assert [harness.statuses(each) for each in first_in] == [["created", "picked_up"]] * 3
    assert harness.published_ids() == [
        command.event_id for each in first_in for command in (creation(each), report(Status.PICKED_UP, each))
    ]


async def test_rejected_events_are_not_marked_as_applied(harness: ProcessorHarness) -> None:
    early = report(Status.DELIVERED)
    partition = await harness.applied(CREATION, early)
    await partition.handle(records_of(early, first_offset=2))
    assert counters(harness.event(early)) == (2, 0, 0)


async def test_without_the_filter_duplicates_are_counted_all_the_same(harness: ProcessorHarness) -> None:
    harness.filter.reachable = False
    partition = await harness.applied(*JOURNEY)
    await partition.handle(records_of(*JOURNEY, first_offset=5))
    assert harness.statuses(NUMBER) == ["created", *ROUTE]
    assert [counters(harness.event(command)) for command in JOURNEY] == [(1, 1, 0)] * 5


async def test_a_filter_that_outlived_the_store_loses_nothing(harness: ProcessorHarness) -> None:
    """The store was restored from before the events; the log is read again."""
    await harness.applied(CREATION, PICKED_UP)
    harness.documents.shipments.clear()
    harness.documents.events.clear()
    partition = await harness.partition()
    await partition.handle(records_of(CREATION, PICKED_UP, first_offset=2))
    assert harness.statuses(NUMBER) == ["created", "picked_up"]
    assert counters(harness.event(PICKED_UP)) == (1, 0, 0)


async def test_an_event_whose_commit_failed_is_not_taken_for_a_duplicate(harness: ProcessorHarness) -> None:
    """It has a record, a rejected one: counting on that would lose what it says now."""
    partition = await harness.applied(PICKED_UP, CREATION)
    harness.store.fail_next("commit", CommitUnknown("lost"))
    again = records_of(PICKED_UP, first_offset=2)
    with pytest.raises(CommitUnknown):
        await partition.handle(again)
    await partition.handle(again)
    assert harness.statuses(NUMBER) == ["created", "picked_up"]
    assert counters(harness.event(PICKED_UP)) == (2, 0, 0)
