"""Look-ups that `judge` needs, those that the duplicate filter saves, and counting once."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.processing.batch import Kind, Outcome, Verdict
from domain.processing.judging import judge
from domain.shipments.commands import ReportStatus
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import REPORTABLE, Status
from tests.support.builders import (
    NOON,
    amendment,
    consumed,
    consumed_all,
    creation,
    record_of,
    redelivered,
    report,
    shipment_after,
)

CREATION = creation()
PICKED_UP = report(Status.PICKED_UP)
OTHER_PICKED_UP = replace(PICKED_UP, notes="another thing of the same instant")
IN_WAREHOUSE = report(Status.IN_WAREHOUSE)

logs_of_one_shipment = st.lists(
    st.builds(
        report,
        st.sampled_from(REPORTABLE),
        at=st.sampled_from([NOON, None]),
        notes=st.sampled_from([None, "another thing of the same instant"]),
    ),
    max_size=8,
)
CREATED = shipment_after(CREATION)


def test_an_applied_event_needs_no_look_up() -> None:
    result = judge(consumed_all(PICKED_UP, IN_WAREHOUSE), CREATED, {})
    assert result.unknown == []
    assert [change.is_new for change in result.events.values()] == [True, True]


def test_a_rejected_event_is_looked_up_before_it_is_recorded() -> None:
    result = judge([consumed(IN_WAREHOUSE)], CREATED, {})
    assert (result.unknown, result.verdicts, result.events) == ([IN_WAREHOUSE.event_id], [], {})


def test_an_event_of_the_history_is_looked_up_before_it_is_counted() -> None:
    sent = consumed_all(PICKED_UP, OTHER_PICKED_UP, CREATION, first_offset=5)
    result = judge(sent, shipment_after(CREATION, PICKED_UP), {})
    assert set(result.unknown) == {PICKED_UP.event_id, CREATION.event_id}
    assert (result.verdicts, result.events) == ([], {})
    records = [record_of(each) for each in consumed_all(CREATION, PICKED_UP)]
    known = {record.event_id: record for record in records}
    again = judge(sent, shipment_after(CREATION, PICKED_UP), known)
    assert [verdict.kind.value for verdict in again.verdicts] == ["duplicate", "conflict", "duplicate"]
    assert again.unknown == []


def test_when_one_event_is_looked_up_so_are_all_of_its_shipments() -> None:
    result = judge(
        consumed_all(IN_WAREHOUSE, PICKED_UP, CREATION, IN_WAREHOUSE), CREATED, {PICKED_UP.event_id: None}
    )
    assert sorted(result.unknown) == sorted([IN_WAREHOUSE.event_id, CREATION.event_id])


def test_one_look_up_is_enough() -> None:
    """Nothing stands of the first record; so the third, of the same id, is applied, and the fourth on it."""
    otherwise = replace(IN_WAREHOUSE, notes="another thing of the same instant")
    sent = consumed_all(IN_WAREHOUSE, PICKED_UP, otherwise, report(Status.IN_TRANSIT))
    first = judge(sent, CREATED, {})
    result = judge(sent, CREATED, dict.fromkeys(first.unknown))
    assert result.unknown == []
    assert [verdict.kind.value for verdict in result.verdicts] == ["judged"] * 4
    assert [verdict.event.outcome.value for verdict in result.verdicts if verdict.event] == [
        "rejected",
        "applied",
        "applied",
        "applied",
    ]


@given(logs_of_one_shipment)
def test_the_second_judgement_is_final(sent: list[ReportStatus]) -> None:
    records = consumed_all(*sent, first_offset=5)
    first = judge(records, CREATED, {})
    assert judge(records, CREATED, dict.fromkeys(first.unknown)).unknown == []


def test_the_duplicate_filter_spares_the_look_up() -> None:
    sent = consumed(PICKED_UP, 9, known_duplicate=True)
    result = judge([sent], shipment_after(CREATION, PICKED_UP), {})
    assert result.verdicts == [Verdict(sent, Kind.DUPLICATE, None)]
    assert result.unknown == []
    change = result.events[PICKED_UP.event_id]
    assert (change.is_new, change.judged, change.duplicates, change.last_offset) == (False, None, 1, 9)


def test_the_duplicate_filter_knows_nothing_of_another_payload() -> None:
    sent = [consumed(PICKED_UP, 9, known_duplicate=True), consumed(OTHER_PICKED_UP, 10)]
    shipment = shipment_after(CREATION, PICKED_UP)
    assert judge(sent, shipment, {}).unknown == [PICKED_UP.event_id]
    result = judge(sent, shipment, {PICKED_UP.event_id: record_of(consumed(PICKED_UP, 1))})
    assert [verdict.kind.value for verdict in result.verdicts] == ["duplicate", "conflict"]
    change = result.events[PICKED_UP.event_id]
    assert (change.duplicates, change.conflicts, change.last_offset) == (1, 1, 10)


def test_an_amendment_that_the_filter_knows_is_not_applied_again_for_a_waiting_caller() -> None:
    """No history tells of amendments: without a look-up, the second record would be taken for a new one."""
    amended = amendment()
    sent = [consumed(amended, 9, known_duplicate=True), consumed(amended, 10)]
    assert judge(sent, CREATED, {}).unknown == [amended.event_id]
    result = judge(sent, CREATED, {amended.event_id: record_of(consumed(amended, 3))})
    assert [verdict.kind.value for verdict in result.verdicts] == ["duplicate", "duplicate"]
    assert result.shipment is None


def test_a_record_that_was_counted_is_replayed_and_nothing_is_counted() -> None:
    first = record_of(consumed(PICKED_UP, 5))
    [again] = redelivered([consumed(PICKED_UP, 5)])
    result = judge([again], shipment_after(CREATION, PICKED_UP), {PICKED_UP.event_id: first})
    assert result.verdicts == [Verdict(again, Kind.REPLAYED, first)]
    assert (result.events, result.shipment, result.unknown) == ({}, None, [])


def test_repeated_batch_publishes_an_event_once_though_it_was_sent_in_two_local_times() -> None:
    """The duplicate is the same event, but its message would be another one under the same id."""
    stored = replace(record_of(consumed(PICKED_UP, 5)), last_offset=9)
    again = redelivered([consumed(PICKED_UP, 5), consumed(replace(PICKED_UP, utc_offset="-06:00"), 9)])
    result = judge(again, shipment_after(CREATION, PICKED_UP), {PICKED_UP.event_id: stored})
    assert [(verdict.kind, verdict.is_published) for verdict in result.verdicts] == [
        (Kind.REPLAYED, True),
        (Kind.REPLAYED, False),
    ]


def test_a_rejected_a_conflicting_and_a_filtered_record_are_replayed_too() -> None:
    rejected = record_of(consumed(IN_WAREHOUSE, 4), Outcome.REJECTED, RejectionReason.INVALID_TRANSITION)
    counted = replace(record_of(consumed(PICKED_UP, 5)), last_offset=7)
    sent = [
        consumed(IN_WAREHOUSE, 4, redelivered=True),
        consumed(PICKED_UP, 5, redelivered=True),
        consumed(OTHER_PICKED_UP, 6, redelivered=True),
        consumed(PICKED_UP, 7, redelivered=True, known_duplicate=True),
    ]
    known = {IN_WAREHOUSE.event_id: rejected, PICKED_UP.event_id: counted}
    result = judge(sent, shipment_after(CREATION, PICKED_UP), known)
    assert {verdict.kind for verdict in result.verdicts} == {Kind.REPLAYED}
    assert result.events == {}


def test_a_redelivered_record_above_the_last_counted_one_is_counted() -> None:
    first = record_of(consumed(PICKED_UP, 5))
    again = [consumed(PICKED_UP, 5, redelivered=True), consumed(PICKED_UP, 6, redelivered=True)]
    result = judge(again, shipment_after(CREATION, PICKED_UP), {PICKED_UP.event_id: first})
    assert [verdict.kind.value for verdict in result.verdicts] == ["replayed", "duplicate"]
    assert result.events[PICKED_UP.event_id].last_offset == 6


def test_a_redelivered_record_that_nobody_counted_is_judged() -> None:
    [again] = redelivered([consumed(PICKED_UP, 5)])
    result = judge([again], CREATED, {PICKED_UP.event_id: None})
    assert [verdict.kind.value for verdict in result.verdicts] == ["judged"]
    assert result.shipment is not None


def test_a_lower_offset_alone_is_no_replay() -> None:
    """A topic that was re-created counts from 0 again: what it brings is new, whatever its offsets."""
    first = record_of(consumed(PICKED_UP, 5000))
    result = judge([consumed(PICKED_UP, 5)], shipment_after(CREATION, PICKED_UP), {PICKED_UP.event_id: first})
    assert [verdict.kind.value for verdict in result.verdicts] == ["duplicate"]
    assert result.events[PICKED_UP.event_id].last_offset == 5
