"""Verdicts on the commands of one shipment: applied, rejected, duplicate, conflict."""

from dataclasses import replace

import pytest

from domain.errors import PoisonRecord
from domain.processing.batch import EventRecord, Kind, OtherPayload, Outcome, Verdict
from domain.processing.judging import judge
from domain.shipments.commands import ReportStatus
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from tests.support.builders import (
    NUMBER,
    ROUTE,
    consumed,
    consumed_all,
    creation,
    record_of,
    report,
    shipment_after,
)

CREATION = creation(request_key="digest-of-user-and-key")
PICKED_UP = report(Status.PICKED_UP)
OTHER_PICKED_UP = replace(PICKED_UP, notes="another thing of the same instant")
IN_TRANSIT = report(Status.IN_TRANSIT)
CREATED = shipment_after(CREATION)


def kinds(verdicts: list[Verdict]) -> list[str]:
    return [verdict.kind.value for verdict in verdicts]


def outcomes(verdicts: list[Verdict]) -> list[tuple[str, str | None]]:
    events = [verdict.event for verdict in verdicts]
    return [(event.outcome.value, event.reason) for event in events if event is not None]


def test_a_creation_is_applied_and_recorded() -> None:
    sent = consumed(CREATION, 7)
    result = judge([sent], None, {})
    assert result.events[CREATION.event_id].record == EventRecord(
        event_id=CREATION.event_id,
        outcome=Outcome.APPLIED,
        reason=None,
        fingerprint=sent.fingerprint,
        last_offset=7,
        version=1,
        client_id="client_001",
        timestamp=CREATION.timestamp,
        request_key="digest-of-user-and-key",
        status=Status.CREATED,
        offset=7,
        submitted_by="client_user_001",
        received_at=CREATION.received_at,
    )
    assert result.shipment is not None
    assert (result.shipment.before, result.shipment.after) == (None, CREATED)
    assert result.shipment.applied == [sent]


def test_a_shipment_passes_all_states_in_one_batch() -> None:
    sent = consumed_all(CREATION, *(report(status) for status in ROUTE))
    result = judge(sent, None, {})
    assert outcomes(result.verdicts) == [("applied", None)] * 5
    assert [verdict.event.version for verdict in result.verdicts if verdict.event] == [1, 2, 3, 4, 5]
    assert result.shipment is not None
    assert result.shipment.after.status is Status.DELIVERED
    assert result.shipment.applied == sent
    assert all(change.is_new and change.attempts == 1 for change in result.events.values())


def test_what_the_rules_forbid_is_rejected_with_the_reason_and_changes_nothing() -> None:
    result = judge([consumed(IN_TRANSIT, 4)], CREATED, {IN_TRANSIT.event_id: None})
    assert outcomes(result.verdicts) == [("rejected", RejectionReason.INVALID_TRANSITION)]
    change = result.events[IN_TRANSIT.event_id]
    assert change.record is not None
    assert (change.is_new, change.attempts, change.last_offset) == (True, 1, 4)
    assert (change.record.version, change.record.client_id) == (None, CREATED.client_id)
    assert result.shipment is None


def test_a_rejected_event_of_no_shipment_belongs_to_nobody() -> None:
    result = judge([consumed(PICKED_UP)], None, {PICKED_UP.event_id: None})
    assert outcomes(result.verdicts) == [("rejected", RejectionReason.SHIPMENT_NOT_FOUND)]
    assert result.verdicts[0].event is not None
    assert result.verdicts[0].event.client_id is None


def test_a_duplicate_within_a_batch_is_counted_not_judged() -> None:
    result = judge(consumed_all(PICKED_UP, PICKED_UP, PICKED_UP), CREATED, {})
    assert kinds(result.verdicts) == ["judged", "duplicate", "duplicate"]
    change = result.events[PICKED_UP.event_id]
    assert (change.attempts, change.duplicates, change.conflicts) == (1, 2, 0)
    assert (change.is_new, change.last_offset) == (True, 2)
    assert result.shipment is not None
    assert result.shipment.after.version == 2


def test_a_duplicate_of_an_earlier_batch_is_counted_and_gets_the_recorded_event() -> None:
    first = record_of(consumed(PICKED_UP, 3))
    result = judge([consumed(PICKED_UP, 9)], CREATED, {PICKED_UP.event_id: first})
    assert result.verdicts == [Verdict(consumed(PICKED_UP, 9), Kind.DUPLICATE, first)]
    change = result.events[PICKED_UP.event_id]
    assert (change.is_new, change.judged, change.record) == (False, None, None)
    assert (change.attempts, change.duplicates, change.last_offset) == (0, 1, 9)
    assert result.shipment is None


def test_another_payload_is_a_conflict_and_the_first_counts() -> None:
    first = record_of(consumed(PICKED_UP, 3))
    result = judge([consumed(OTHER_PICKED_UP, 9)], CREATED, {PICKED_UP.event_id: first})
    assert result.verdicts == [Verdict(consumed(OTHER_PICKED_UP, 9), Kind.CONFLICT, first)]
    change = result.events[PICKED_UP.event_id]
    assert (change.judged, change.duplicates, change.conflicts, change.last_offset) == (None, 0, 1, 9)
    assert change.others == [OtherPayload(consumed(OTHER_PICKED_UP, 9), RejectionReason.IDEMPOTENCY_CONFLICT)]
    assert result.shipment is None


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.DEAD])
def test_another_payload_of_an_event_that_was_not_applied_is_judged_and_replaces_it(outcome: Outcome) -> None:
    first = record_of(consumed(PICKED_UP, 3), outcome)
    result = judge([consumed(OTHER_PICKED_UP, 9)], CREATED, {PICKED_UP.event_id: first})
    assert outcomes(result.verdicts) == [("applied", None)]
    change = result.events[PICKED_UP.event_id]
    assert (change.is_new, change.supersedes, change.attempts, change.conflicts) == (False, True, 1, 0)
    assert change.judged == consumed(OTHER_PICKED_UP, 9)
    assert result.verdicts[0].is_published


def test_a_payload_replaced_within_a_batch_is_kept() -> None:
    late = replace(IN_TRANSIT, event_id=PICKED_UP.event_id, timestamp=PICKED_UP.timestamp)
    sent = consumed_all(late, PICKED_UP, late)
    result = judge(sent, CREATED, {PICKED_UP.event_id: None})
    assert kinds(result.verdicts) == ["judged", "judged", "conflict"]
    change = result.events[PICKED_UP.event_id]
    assert (change.judged, change.attempts, change.conflicts) == (sent[1], 2, 1)
    assert change.others == [
        OtherPayload(sent[0], RejectionReason.INVALID_TRANSITION),
        OtherPayload(sent[2], RejectionReason.IDEMPOTENCY_CONFLICT),
    ]


def test_a_conflict_within_a_batch_is_counted_on_the_first() -> None:
    result = judge(consumed_all(PICKED_UP, OTHER_PICKED_UP, PICKED_UP), CREATED, {})
    assert kinds(result.verdicts) == ["judged", "conflict", "duplicate"]
    change = result.events[PICKED_UP.event_id]
    assert (change.attempts, change.duplicates, change.conflicts, change.last_offset) == (1, 1, 1, 2)
    assert change.judged == consumed(PICKED_UP, 0)
    assert result.shipment is not None
    assert result.shipment.applied == [consumed(PICKED_UP, 0)]


def test_a_creation_sent_twice_is_a_duplicate() -> None:
    result = judge(consumed_all(CREATION, CREATION), None, {})
    assert kinds(result.verdicts) == ["judged", "duplicate"]
    first = record_of(consumed(CREATION, 0))
    later = judge([consumed(CREATION, 5)], CREATED, {CREATION.event_id: first})
    assert kinds(later.verdicts) == ["duplicate"]


def test_a_creation_with_the_number_of_another_is_a_conflict_that_names_the_first() -> None:
    first = record_of(consumed(CREATION, 0))
    other = creation(client_id="client_002", request_key="of somebody else")
    result = judge([consumed(other, 5)], CREATED, {CREATION.event_id: first})
    assert result.verdicts == [Verdict(consumed(other, 5), Kind.CONFLICT, first)]
    assert result.shipment is None


@pytest.mark.parametrize(
    ("request_key", "reason"),
    [
        ("digest-of-user-and-key", RejectionReason.IDEMPOTENCY_CONFLICT),
        ("of somebody else", RejectionReason.TRACKING_NUMBER_TAKEN),
        (None, RejectionReason.TRACKING_NUMBER_TAKEN),
    ],
)
def test_a_conflicting_creation_says_whether_its_key_or_its_number_was_used(
    request_key: str | None, reason: RejectionReason
) -> None:
    first = replace(record_of(consumed(CREATION, 0)), request_key=CREATION.request_key)
    other = creation(weight_kg=7.0, request_key=request_key)
    result = judge([consumed(other, 5)], CREATED, {CREATION.event_id: first})
    assert result.events[CREATION.event_id].others == [OtherPayload(consumed(other, 5), reason)]


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.DEAD])
def test_what_was_not_applied_is_judged_again_and_rejected_again(outcome: Outcome) -> None:
    first = record_of(consumed(IN_TRANSIT, 3), outcome)
    result = judge([consumed(IN_TRANSIT, 9)], CREATED, {IN_TRANSIT.event_id: first})
    assert kinds(result.verdicts) == ["judged"]
    assert outcomes(result.verdicts) == [("rejected", RejectionReason.INVALID_TRANSITION)]
    change = result.events[IN_TRANSIT.event_id]
    assert (change.is_new, change.attempts, change.last_offset) == (False, 1, 9)


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.DEAD])
def test_what_was_not_applied_is_applied_once_the_rules_allow_it(outcome: Outcome) -> None:
    first = record_of(consumed(PICKED_UP, 3), outcome)
    result = judge([consumed(PICKED_UP, 9)], CREATED, {PICKED_UP.event_id: first})
    assert outcomes(result.verdicts) == [("applied", None)]
    change = result.events[PICKED_UP.event_id]
    assert (change.is_new, change.attempts) == (False, 1)
    assert result.shipment is not None
    assert result.shipment.after.version == 2


def test_a_dead_creation_that_is_sent_again_creates_the_shipment() -> None:
    dead = record_of(consumed(CREATION, 3), Outcome.DEAD)
    result = judge([consumed(CREATION, 9)], None, {CREATION.event_id: dead})
    assert outcomes(result.verdicts) == [("applied", None)]
    assert result.events[CREATION.event_id].is_new is False


def test_a_rejected_event_may_be_applied_later_in_the_same_batch() -> None:
    sent = consumed_all(PICKED_UP, CREATION, PICKED_UP, PICKED_UP)
    result = judge(sent, None, {PICKED_UP.event_id: None})
    assert outcomes(result.verdicts) == [
        ("rejected", RejectionReason.SHIPMENT_NOT_FOUND),
        ("applied", None),
        ("applied", None),
        ("applied", None),
    ]
    change = result.events[PICKED_UP.event_id]
    assert (change.is_new, change.attempts, change.duplicates, change.last_offset) == (True, 2, 1, 3)
    assert change.judged == sent[2]
    assert change.record is not None
    assert (change.record.outcome, change.record.reason, change.record.version) == ("applied", None, 2)


def test_an_event_in_the_history_without_a_record_is_poison() -> None:
    shipment = shipment_after(CREATION, PICKED_UP)
    with pytest.raises(PoisonRecord, match=f"{PICKED_UP.event_id} is in the history"):
        judge([consumed(PICKED_UP, 9)], shipment, {PICKED_UP.event_id: None})


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.DEAD])
def test_an_event_in_the_history_that_is_recorded_as_not_applied_is_poison(outcome: Outcome) -> None:
    shipment = shipment_after(CREATION, PICKED_UP)
    record = record_of(consumed(PICKED_UP, 3), outcome)
    with pytest.raises(PoisonRecord):
        judge([consumed(PICKED_UP, 9)], shipment, {PICKED_UP.event_id: record})


def test_nothing_to_judge_does_nothing() -> None:
    result = judge([], shipment_after(creation(NUMBER)), {})
    assert (result.verdicts, result.events, result.shipment, result.unknown) == ([], {}, None, [])


@pytest.mark.parametrize(
    ("kind", "outcome", "sent", "published", "conflict"),
    [
        (Kind.JUDGED, Outcome.APPLIED, PICKED_UP, True, False),
        (Kind.JUDGED, Outcome.REJECTED, PICKED_UP, False, False),
        (Kind.REPLAYED, Outcome.APPLIED, PICKED_UP, True, False),
        (Kind.REPLAYED, Outcome.DEAD, PICKED_UP, False, False),
        (Kind.REPLAYED, Outcome.APPLIED, OTHER_PICKED_UP, False, True),
        (Kind.DUPLICATE, Outcome.APPLIED, PICKED_UP, False, False),
        (Kind.CONFLICT, Outcome.APPLIED, OTHER_PICKED_UP, False, True),
    ],
)
def test_an_applied_event_is_published_when_it_is_applied_and_when_it_is_replayed(
    kind: Kind, outcome: Outcome, sent: ReportStatus, *, published: bool, conflict: bool
) -> None:
    verdict = Verdict(consumed(sent, 3), kind, record_of(consumed(PICKED_UP, 3), outcome))
    assert (verdict.is_published, verdict.is_conflict) == (published, conflict)


def test_an_event_that_only_the_duplicate_filter_knows_is_not_published() -> None:
    verdict = Verdict(consumed(PICKED_UP, 3, known_duplicate=True), Kind.DUPLICATE, None)
    assert (verdict.is_published, verdict.is_conflict) == (False, False)
