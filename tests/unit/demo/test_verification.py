from dataclasses import replace

import pytest

from demo.dataset.known_answer import NOTHING, load
from demo.ledger import EventState, Ledger, ShipmentState, deliveries_between, standing
from demo.run.verification import differences, total_differences
from domain.shipments.event_identity import EventId
from domain.shipments.tracking_number import TrackingNumber

GOOD, BAD, NEW = EventId("evt_good"), EventId("evt_bad"), EventId("evt_new")
NUMBER, OTHER = TrackingNumber("99M-A"), TrackingNumber("99M-B")
APPLIED = EventState("applied", None, 1, 2, 1)
REJECTED = EventState("rejected", "INVALID_TRANSITION", 2, 0, 0)
MUST = Ledger({GOOD: APPLIED, BAD: REJECTED}, {NUMBER: ShipmentState("delivered", 5)})


def test_equal_ledgers_do_not_differ() -> None:
    assert differences(MUST, MUST, resent={}) == []


@pytest.mark.parametrize(
    "wrong",
    [
        replace(APPLIED, outcome="dead"),
        replace(APPLIED, attempts=2),
        replace(APPLIED, duplicates=1),
        replace(APPLIED, duplicates=3),
        replace(APPLIED, conflicts=0),
        replace(REJECTED, reason="SHIPMENT_NOT_FOUND"),
    ],
)
def test_a_wrong_event_is_named(wrong: EventState) -> None:
    found = Ledger({**MUST.events, GOOD: wrong}, MUST.shipments)
    (line,) = differences(MUST, found, resent={})
    assert line.startswith("evt_good: ")
    assert line.endswith("must be applied (judged 1, duplicates 2, conflicts 1)")


def test_a_missing_and_an_unknown_event_are_named() -> None:
    found = Ledger({BAD: REJECTED, NEW: APPLIED}, MUST.shipments)
    missing, unknown = differences(MUST, found, resent={})
    assert missing.startswith("evt_good: no outcome, must be applied")
    assert unknown == "evt_new: nobody sent it"


@pytest.mark.parametrize("wrong", [ShipmentState("delivered", 6), ShipmentState("in_transit", 5)])
def test_a_wrong_shipment_is_named(wrong: ShipmentState) -> None:
    (line,) = differences(MUST, Ledger(MUST.events, {NUMBER: wrong}), resent={})
    assert line == f"99M-A: {wrong.status} in version {wrong.version}, must be delivered in version 5"


def test_a_shipment_too_few_and_one_too_many_are_named() -> None:
    lines = differences(MUST, Ledger(MUST.events, {OTHER: ShipmentState("created", 1)}), resent={})
    assert lines == [
        "99M-A: no shipment, must be delivered in version 5",
        "99M-B: created in version 1, must be no shipment",
    ]


@pytest.mark.parametrize(
    ("found", "agrees"),
    [
        (APPLIED, True),
        (replace(APPLIED, duplicates=3), True),
        (replace(APPLIED, duplicates=4), False),
        (replace(APPLIED, duplicates=1), False),
        (replace(APPLIED, outcome="rejected", reason="INVALID_TRANSITION"), False),
    ],
)
def test_one_unanswered_request_leaves_room_for_one_delivery(found: EventState, *, agrees: bool) -> None:
    ledger = Ledger({**MUST.events, GOOD: found}, MUST.shipments)
    assert (differences(MUST, ledger, resent={GOOD: 1}) == []) is agrees


def test_every_wrong_total_is_named() -> None:
    known = load().first_run
    assert total_differences(known, known) == []
    assert total_differences(known, replace(known, applied=known.applied - 1)) == [
        f"total applied: {known.applied - 1:,}, known answer {known.applied:,}"
    ]
    (line,) = total_differences(known, replace(known, rejected={**known.rejected, "INTERNAL_ERROR": 1}))
    assert line == "total rejected INTERNAL_ERROR: 1, known answer 0"


def test_a_wrong_standing_is_named() -> None:
    known = load().standing
    moved = {**known.shipments, "delivered": 0}
    (line,) = total_differences(known, replace(known, shipments=moved))
    assert line == f"total shipments delivered: 0, known answer {known.shipments['delivered']:,}"


def test_deliveries_are_the_growth_of_the_counters() -> None:
    later = Ledger(
        {
            GOOD: replace(APPLIED, duplicates=3),
            BAD: replace(REJECTED, attempts=3),
            NEW: EventState("dead", None, 1, 0, 0),
        },
        {},
    )
    found = deliveries_between(MUST, later)
    assert (found.applied, found.duplicates, found.conflicts, found.other) == (0, 1, 0, 1)
    assert found.rejected == {"INVALID_TRANSITION": 1, "SHIPMENT_NOT_FOUND": 0}
    assert found.total == 3


def test_an_empty_ledger_has_empty_totals() -> None:
    found = standing(NOTHING)
    assert (found.events, found.applied, sum(found.shipments.values())) == (0, 0, 0)
