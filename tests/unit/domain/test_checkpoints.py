"""Checkpoints: what a parcel passes between two statuses, and what they leave as it is."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.processing.batch import Kind, Outcome
from domain.processing.judging import judge
from domain.shipments.checkpoint import LABELS, LANGUAGES, PATTERN
from domain.shipments.rejection import RejectionReason
from domain.shipments.shipment import Rejected, decide, evolve
from domain.shipments.status import Status, takes_checkpoints
from tests.support.builders import (
    NOON,
    ROUTE,
    checkpoint,
    consumed,
    consumed_all,
    creation,
    report,
    shipment_after,
)

CREATION = creation()
UNDER_WAY = {Status.PICKED_UP, Status.IN_WAREHOUSE, Status.IN_TRANSIT}
PATHS: dict[Status, tuple[Status, ...]] = {
    Status.CREATED: (),
    **{status: ROUTE[: place + 1] for place, status in enumerate(ROUTE)},
    Status.CANCELLED: (Status.CANCELLED,),
}


@pytest.mark.parametrize("status", Status)
def test_a_checkpoint_is_legal_while_the_shipment_is_under_way(status: Status) -> None:
    shipment = shipment_after(CREATION, *(report(step) for step in PATHS[status]))
    decision = decide(shipment, checkpoint())
    assert takes_checkpoints(status) == (status in UNDER_WAY)
    if status in UNDER_WAY:
        assert not isinstance(decision, Rejected)
    else:
        assert decision == Rejected(RejectionReason.INVALID_TRANSITION)


def test_a_checkpoint_of_no_shipment_is_rejected() -> None:
    assert decide(None, checkpoint()) == Rejected(RejectionReason.SHIPMENT_NOT_FOUND)


def test_a_checkpoint_raises_the_version_and_changes_no_status() -> None:
    before = shipment_after(CREATION, report(Status.PICKED_UP))
    decision = decide(before, checkpoint())
    assert not isinstance(decision, Rejected)
    after = evolve(before, decision)  # type: ignore[arg-type]  # not repeated
    assert after == replace(before, version=before.version + 1, checkpoints=1)
    moved = shipment_after(CREATION, report(Status.PICKED_UP), checkpoint(), report(Status.IN_WAREHOUSE))
    assert (moved.status, moved.version, moved.checkpoints) == (Status.IN_WAREHOUSE, 4, 1)
    assert moved.applied == (CREATION.event_id, *(report(status).event_id for status in ROUTE[:2]))


def test_a_parcel_passes_two_hubs_fails_a_delivery_and_is_delivered() -> None:
    codes = ["arrived_at_hub", "departed_hub", "arrived_at_hub", "delivery_failed", "out_for_delivery"]
    passed = [checkpoint(code, at=NOON + timedelta(hours=hour)) for hour, code in enumerate(codes)]
    statuses = [report(status) for status in ROUTE]
    shipment = shipment_after(CREATION, *statuses[:3], *passed, statuses[3])
    assert (shipment.status, shipment.version, shipment.checkpoints) == (Status.DELIVERED, 10, 5)


def test_a_repeated_checkpoint_is_a_duplicate_and_another_payload_a_conflict() -> None:
    picked_up, passed = report(Status.PICKED_UP), checkpoint()
    otherwise = replace(passed, checkpoint="departed_hub")
    as_status = report(Status.IN_WAREHOUSE, at=passed.timestamp, source=passed.source)
    assert as_status.event_id == passed.event_id
    sent = consumed_all(CREATION, picked_up, passed, passed, otherwise, as_status)
    verdicts = judge(sent, None, {}).verdicts
    kinds = [Kind.JUDGED] * 3 + [Kind.DUPLICATE, Kind.CONFLICT, Kind.CONFLICT]
    assert [each.kind for each in verdicts] == kinds


def test_the_record_of_a_checkpoint_has_the_status_that_held() -> None:
    shipment = shipment_after(CREATION, report(Status.PICKED_UP))
    [verdict] = judge([consumed(checkpoint(), 7)], shipment, {}).verdicts
    assert verdict.event is not None
    assert (verdict.event.outcome, verdict.event.status) == (Outcome.APPLIED, Status.PICKED_UP)
    assert verdict.event.version == shipment.version + 1
    assert verdict.is_published


def test_a_rejected_checkpoint_is_never_held() -> None:
    early = replace(consumed(checkpoint(), 7), hold=timedelta(hours=24))
    verdicts = judge([early], shipment_after(CREATION), {checkpoint().event_id: None})
    [change] = verdicts.events.values()
    assert change.record is not None
    assert (change.record.outcome, change.record.held_until) == (Outcome.REJECTED, None)
    assert change.record.current_status is Status.CREATED
    assert verdicts.shipment is None


def test_known_codes_have_the_form_of_codes_and_labels_in_every_language() -> None:
    assert set(LABELS) == {
        "out_for_delivery",
        "delivery_failed",
        "arrived_at_hub",
        "departed_hub",
        "on_hold",
        "available_for_pickup",
        "returning",
    }
    for code, labels in LABELS.items():
        assert re.fullmatch(PATTERN, code)
        assert tuple(labels) == LANGUAGES == ("es", "en", "pt")
        assert all(labels.values())
    assert not set(LABELS) & set(Status), "a checkpoint is never a status"
