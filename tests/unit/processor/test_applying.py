"""A calm day of one partition: batches, duplicates, conflicts, and events that are sent again."""

from dataclasses import replace

from domain.shipments.commands import Command
from domain.shipments.status import Status
from tests.support.builders import NUMBER, ROUTE, creation, number, report
from tests.support.records import records_of
from tests.unit.processor.harness import NAME, ProcessorHarness, counters

CREATION = creation()
JOURNEY: tuple[Command, ...] = (CREATION, *(report(status) for status in ROUTE))
PICKED_UP = report(Status.PICKED_UP)
IN_TRANSIT = report(Status.IN_TRANSIT)


async def test_a_batch_that_moves_a_shipment_through_all_its_states_is_one_commit(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.partition()
    before = harness.documents.fences[NAME]
    await partition.handle(records_of(*JOURNEY))
    assert harness.statuses(NUMBER) == ["created", *ROUTE]
    assert harness.documents.fences[NAME] == replace(before, next_offset=5)
    assert harness.store.calls["commit"] == 1
    assert harness.published_ids() == [command.event_id for command in JOURNEY]


async def test_every_event_of_a_batch_has_a_record(harness: ProcessorHarness) -> None:
    await harness.applied(*JOURNEY)
    assert {event["outcome"] for event in harness.documents.events.values()} == {"applied"}
    assert [counters(harness.event(command)) for command in JOURNEY] == [(1, 0, 0)] * 5
    assert [harness.event(command)["offset"] for command in JOURNEY] == [0, 1, 2, 3, 4]


async def test_recorded_documents_carry_the_time_of_their_transaction(harness: ProcessorHarness) -> None:
    await harness.applied(*JOURNEY[:2])
    shipment = harness.documents.shipments[NUMBER]
    recorded_at = harness.clock.now()
    assert shipment["updated_at"] == recorded_at
    assert harness.event(PICKED_UP)["recorded_at"] == recorded_at
    assert shipment["status_history"][1]["recorded_at"] == recorded_at


async def test_shipments_of_one_batch_do_not_mix(harness: ProcessorHarness) -> None:
    numbers = [number(index) for index in range(5)]
    rounds: list[list[Command]] = [[creation(each) for each in numbers]]
    rounds += [[report(status, each) for each in numbers] for status in ROUTE]
    await harness.applied(*(command for some in rounds for command in some))
    assert [harness.statuses(each) for each in numbers] == [["created", *ROUTE]] * 5
    assert harness.store.calls["commit"] == 1


async def test_a_repeated_event_is_counted_and_not_published_again(harness: ProcessorHarness) -> None:
    partition = await harness.applied(CREATION, PICKED_UP, PICKED_UP)
    await partition.handle(records_of(PICKED_UP, CREATION, first_offset=3))
    assert harness.statuses(NUMBER) == ["created", "picked_up"]
    assert counters(harness.event(PICKED_UP)) == (1, 2, 0)
    assert counters(harness.event(CREATION)) == (1, 1, 0)
    assert harness.published_ids() == [CREATION.event_id, PICKED_UP.event_id]


async def test_an_event_that_says_something_else_is_a_conflict_and_never_applied(
    harness: ProcessorHarness,
) -> None:
    other = replace(report(Status.IN_WAREHOUSE), event_id=PICKED_UP.event_id, timestamp=PICKED_UP.timestamp)
    partition = await harness.applied(CREATION, PICKED_UP)
    await partition.handle(records_of(other, first_offset=2))
    assert harness.statuses(NUMBER) == ["created", "picked_up"]
    assert counters(harness.event(PICKED_UP)) == (1, 0, 1)
    assert harness.event(PICKED_UP)["status"] == "picked_up"


async def test_an_illegal_event_is_rejected_with_a_reason(harness: ProcessorHarness) -> None:
    await harness.applied(CREATION, IN_TRANSIT)
    event = harness.event(IN_TRANSIT)
    assert (event["outcome"], event["reason"], event["version"]) == ("rejected", "INVALID_TRANSITION", None)
    assert harness.statuses(NUMBER) == ["created"]
    assert harness.published_ids() == [CREATION.event_id]


async def test_an_event_of_an_unknown_shipment_is_rejected_and_nothing_is_made_up(
    harness: ProcessorHarness,
) -> None:
    await harness.applied(PICKED_UP)
    assert harness.event(PICKED_UP)["reason"] == "SHIPMENT_NOT_FOUND"
    assert harness.documents.shipments == {}


async def test_a_rejected_event_that_is_sent_again_is_judged_again(harness: ProcessorHarness) -> None:
    partition = await harness.applied(CREATION, PICKED_UP, report(Status.CANCELLED))
    late = report(Status.IN_WAREHOUSE)
    await partition.handle(records_of(late, first_offset=3))
    await partition.handle(records_of(late, first_offset=4))
    event = harness.event(late)
    assert (event["outcome"], event["reason"], event["offset"]) == ("rejected", "INVALID_TRANSITION", 4)
    assert counters(event) == (2, 0, 0)


async def test_an_early_event_is_applied_published_and_known_once_it_is_legal(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.applied(CREATION, IN_TRANSIT)
    await partition.handle(records_of(IN_TRANSIT, first_offset=2))
    assert counters(harness.event(IN_TRANSIT)) == (2, 0, 0)
    await partition.handle(records_of(PICKED_UP, report(Status.IN_WAREHOUSE), IN_TRANSIT, first_offset=3))
    event = harness.event(IN_TRANSIT)
    assert (event["outcome"], event["reason"], event["offset"]) == ("applied", None, 1)
    assert counters(event) == (3, 1, 0)
    assert harness.statuses(NUMBER) == ["created", "picked_up", "in_warehouse", "in_transit"]
    assert harness.published_ids()[-1] == IN_TRANSIT.event_id


async def test_what_was_rejected_before_and_is_legal_now_is_looked_up_before_it_is_written(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.applied(PICKED_UP)
    await partition.handle(records_of(CREATION, PICKED_UP, PICKED_UP, first_offset=1))
    assert counters(harness.event(PICKED_UP)) == (2, 1, 0)
    assert harness.event(PICKED_UP)["outcome"] == "applied"
    assert harness.store.calls["commit"] == 3, "the second batch needs a second try: the event has a record"
    assert harness.statuses(NUMBER) == ["created", "picked_up"]
