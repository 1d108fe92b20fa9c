"""When `judge` needs the store, what the duplicate filter spares it, and that nothing counts twice."""

from dataclasses import replace

from domain.batch import Kind, Outcome, Verdict, judge
from domain.errors import ErrorCode
from domain.status import Status
from tests.support.builders import (
    creation,
    deliveries,
    delivery,
    record_of,
    redelivered,
    report,
    shipment_after,
)

CREATION = creation()
PICKED_UP = report(Status.PICKED_UP)
OTHER_PICKED_UP = replace(PICKED_UP, notes="another thing of the same instant")
IN_WAREHOUSE = report(Status.IN_WAREHOUSE)
CREATED = shipment_after(CREATION)


def test_an_applied_event_needs_no_look_up() -> None:
    result = judge(deliveries(PICKED_UP, IN_WAREHOUSE), CREATED, {})
    assert result.unknown == []
    assert [change.is_new for change in result.events.values()] == [True, True]


def test_a_rejected_event_is_looked_up_before_it_is_recorded() -> None:
    result = judge([delivery(IN_WAREHOUSE)], CREATED, {})
    assert (result.unknown, result.verdicts, result.events) == ([IN_WAREHOUSE.event_id], [], {})


def test_an_event_of_the_history_is_looked_up_before_it_is_counted() -> None:
    sent = deliveries(PICKED_UP, OTHER_PICKED_UP, CREATION, first_offset=5)
    result = judge(sent, shipment_after(CREATION, PICKED_UP), {})
    assert set(result.unknown) == {PICKED_UP.event_id, CREATION.event_id}
    assert (result.verdicts, result.events) == ([], {})
    records = [record_of(each) for each in deliveries(CREATION, PICKED_UP)]
    known = {record.event_id: record for record in records}
    again = judge(sent, shipment_after(CREATION, PICKED_UP), known)
    assert [verdict.kind.value for verdict in again.verdicts] == ["duplicate", "conflict", "duplicate"]
    assert again.unknown == []


def test_what_is_unknown_does_not_hold_up_the_rest() -> None:
    result = judge(deliveries(IN_WAREHOUSE, PICKED_UP), CREATED, {})
    assert result.unknown == [IN_WAREHOUSE.event_id]
    assert [verdict.delivery.command for verdict in result.verdicts] == [PICKED_UP]


def test_a_look_up_may_make_another_one_needed() -> None:
    """The store knows the pick-up with another payload: so it is not applied, nor is what builds on it."""
    sent = deliveries(PICKED_UP, IN_WAREHOUSE, CREATION, first_offset=5)
    assert judge(sent, CREATED, {}).unknown == [CREATION.event_id]
    first = record_of(delivery(OTHER_PICKED_UP, 1), Outcome.REJECTED, ErrorCode.SHIPMENT_NOT_FOUND)
    created = record_of(delivery(CREATION, 2))
    known = {CREATION.event_id: created, PICKED_UP.event_id: first}
    assert judge(sent, CREATED, known).unknown == [IN_WAREHOUSE.event_id]
    last = judge(sent, CREATED, {**known, IN_WAREHOUSE.event_id: None})
    assert last.unknown == []
    assert [verdict.kind for verdict in last.verdicts] == [Kind.CONFLICT, Kind.JUDGED, Kind.DUPLICATE]


def test_the_duplicate_filter_spares_the_look_up() -> None:
    sent = delivery(PICKED_UP, 9, known_duplicate=True)
    result = judge([sent], shipment_after(CREATION, PICKED_UP), {})
    assert result.verdicts == [Verdict(sent, Kind.DUPLICATE, None)]
    assert result.unknown == []
    change = result.events[PICKED_UP.event_id]
    assert (change.is_new, change.judged, change.duplicates, change.last_offset) == (False, None, 1, 9)


def test_the_duplicate_filter_knows_nothing_of_another_payload() -> None:
    sent = [delivery(PICKED_UP, 9, known_duplicate=True), delivery(OTHER_PICKED_UP, 10)]
    shipment = shipment_after(CREATION, PICKED_UP)
    assert judge(sent, shipment, {}).unknown == [PICKED_UP.event_id]
    result = judge(sent, shipment, {PICKED_UP.event_id: record_of(delivery(PICKED_UP, 1))})
    assert [verdict.kind.value for verdict in result.verdicts] == ["duplicate", "conflict"]
    change = result.events[PICKED_UP.event_id]
    assert (change.duplicates, change.conflicts, change.last_offset) == (1, 1, 10)


def test_a_record_that_was_counted_is_replayed_and_nothing_is_counted() -> None:
    first = record_of(delivery(PICKED_UP, 5))
    [again] = redelivered([delivery(PICKED_UP, 5)])
    result = judge([again], shipment_after(CREATION, PICKED_UP), {PICKED_UP.event_id: first})
    assert result.verdicts == [Verdict(again, Kind.REPLAYED, first)]
    assert (result.events, result.shipment, result.unknown) == ({}, None, [])


def test_a_rejected_a_conflicting_and_a_filtered_record_are_replayed_too() -> None:
    rejected = record_of(delivery(IN_WAREHOUSE, 4), Outcome.REJECTED, ErrorCode.INVALID_TRANSITION)
    counted = replace(record_of(delivery(PICKED_UP, 5)), last_offset=7)
    sent = [
        delivery(IN_WAREHOUSE, 4, redelivered=True),
        delivery(PICKED_UP, 5, redelivered=True),
        delivery(OTHER_PICKED_UP, 6, redelivered=True),
        delivery(PICKED_UP, 7, redelivered=True, known_duplicate=True),
    ]
    known = {IN_WAREHOUSE.event_id: rejected, PICKED_UP.event_id: counted}
    result = judge(sent, shipment_after(CREATION, PICKED_UP), known)
    assert {verdict.kind for verdict in result.verdicts} == {Kind.REPLAYED}
    assert result.events == {}


def test_a_redelivered_record_above_the_last_counted_one_is_counted() -> None:
    first = record_of(delivery(PICKED_UP, 5))
    again = [delivery(PICKED_UP, 5, redelivered=True), delivery(PICKED_UP, 6, redelivered=True)]
    result = judge(again, shipment_after(CREATION, PICKED_UP), {PICKED_UP.event_id: first})
    assert [verdict.kind.value for verdict in result.verdicts] == ["replayed", "duplicate"]
    assert result.events[PICKED_UP.event_id].last_offset == 6


def test_a_redelivered_record_that_nobody_counted_is_judged() -> None:
    [again] = redelivered([delivery(PICKED_UP, 5)])
    result = judge([again], CREATED, {PICKED_UP.event_id: None})
    assert [verdict.kind.value for verdict in result.verdicts] == ["judged"]
    assert result.shipment is not None


def test_a_lower_offset_alone_is_no_replay() -> None:
    """A topic that was re-created counts from 0 again: what it brings is new, whatever its offsets."""
    first = record_of(delivery(PICKED_UP, 5000))
    result = judge([delivery(PICKED_UP, 5)], shipment_after(CREATION, PICKED_UP), {PICKED_UP.event_id: first})
    assert [verdict.kind.value for verdict in result.verdicts] == ["duplicate"]
    assert result.events[PICKED_UP.event_id].last_offset == 5
