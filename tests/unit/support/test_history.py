"""The checker finds what it is there for: a loss, a double, a disorder, an illegal walk, a wrong count."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from domain.shipments.commands import Command
from domain.shipments.status import Status
from messaging import codec
from tests.support.builders import NUMBER, ROUTE, creation, number, report
from tests.support.history import Logged, Observed, ObservedDeadLetter, Sent, violations
from tests.support.records import records_of
from tests.unit.processor.harness import ProcessorHarness

JOURNEY: tuple[Command, ...] = (creation(), *(report(status) for status in ROUTE))
PICKED_UP = report(Status.PICKED_UP)
LATE = report(Status.PICKED_UP, source="elsewhere")
LOG: tuple[Command, ...] = (
    *JOURNEY[:2],
    LATE,
    PICKED_UP,
    replace(PICKED_UP, notes="something else"),
    LATE,
    *JOURNEY[2:],
    report(Status.PICKED_UP, number(9)),
)


def log_of(commands: Sequence[Command]) -> list[Logged]:
    decoded = [codec.decode(codec.encode(command)) for command in commands]
    return [Logged((0, offset), each.command, each.fingerprint) for offset, each in enumerate(decoded)]


@pytest.fixture
async def observed() -> Observed:
    """Give a day on which all went well, as the processor leaves it behind."""
    harness = ProcessorHarness()
    partition = await harness.partition()
    for record in records_of(*LOG):
        await partition.handle([record])
    shipments, events = deepcopy((harness.documents.shipments, harness.documents.events))
    return Observed(
        log_of(LOG),
        {str(key): value for key, value in shipments.items()},
        {str(key): value for key, value in events.items()},
    )


def documents(observed: Observed) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the shipment and its second event, to be spoiled."""
    return dict(observed.shipments[NUMBER]), dict(observed.events[PICKED_UP.event_id])


def with_history(observed: Observed, order: Sequence[int]) -> Observed:
    """Return what is observed with the lines of the history in another order, or not all of them."""
    shipment, _ = documents(observed)
    shipment["status_history"] = [shipment["status_history"][index] for index in order]
    return replace(observed, shipments={NUMBER: shipment})


def test_a_day_on_which_all_went_well_has_no_violations(observed: Observed) -> None:
    sent = [Sent(each.event_id) for each in (*JOURNEY, report(Status.PICKED_UP, number(9)))]
    sent[1] = Sent(PICKED_UP.event_id, 2, unknown=1)
    assert violations(observed, [*sent, Sent(LATE.event_id, 1, unknown=1)]) == []
    assert violations(observed) == []


def test_a_record_that_is_not_in_the_log_is_a_loss(observed: Observed) -> None:
    found = violations(observed, [Sent(LATE.event_id, 3)])
    assert f"{LATE.event_id}: sent 3 times, but 2 times in the log" in found


def test_a_record_that_nobody_sent_is_reported(observed: Observed) -> None:
    assert f"{LATE.event_id}: in the log, but nobody sent it" in violations(observed, [])


def test_an_event_without_an_outcome_is_a_loss(observed: Observed) -> None:
    events = {key: value for key, value in observed.events.items() if key != LATE.event_id}
    assert violations(replace(observed, events=events)) == [
        f"{LATE.event_id}: lost, it has no outcome but should be rejected"
    ]


def test_a_shipment_that_does_not_exist_is_a_loss(observed: Observed) -> None:
    assert violations(replace(observed, shipments={})) == [
        f"{NUMBER}: lost, it does not exist but should be delivered"
    ]


def test_a_line_that_is_missing_from_the_history_is_a_loss(observed: Observed) -> None:
    found = violations(with_history(observed, [0, 1, 3, 4]))
    assert f"{NUMBER}: {JOURNEY[2].event_id} lost from the history" in found
    assert f"{NUMBER}: illegal walk: created, picked_up, in_transit, delivered" in found


def test_an_event_that_was_applied_twice_is_a_double(observed: Observed) -> None:
    found = violations(with_history(observed, [0, 1, 1, 2, 3, 4]))
    assert f"{NUMBER}: {PICKED_UP.event_id} applied 2 times" in found


def test_events_that_were_applied_in_another_order_are_a_disorder(observed: Observed) -> None:
    found = violations(with_history(observed, [0, 2, 1, 3, 4]))
    assert f"{NUMBER}: history in disorder: created, in_warehouse, picked_up, in_transit, delivered" in found


def test_a_walk_that_the_rules_forbid_is_illegal(observed: Observed) -> None:
    shipment, _ = documents(observed)
    line = {**shipment["status_history"][4], "event_id": LATE.event_id}
    shipment["status_history"] = [*shipment["status_history"][:2], line]
    found = violations(replace(observed, shipments={NUMBER: shipment}))
    assert f"{NUMBER}: illegal walk: created, picked_up, delivered" in found
    assert f"{NUMBER}: {LATE.event_id} applied, but must not be" in found


def test_an_event_without_a_record_is_reported(observed: Observed) -> None:
    shipment, event = documents(observed)
    spoiled = replace(
        observed,
        shipments={**observed.shipments, "99M-X": shipment},
        events={**observed.events, "evt_x": event},
    )
    assert violations(spoiled) == [
        "evt_x: has an outcome, but is not in the log",
        "99M-X: exists, but nobody created it",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("outcome", "rejected"),
        ("reason", "INVALID_TRANSITION"),
        ("attempts", 2),
        ("duplicates", 0),
        ("conflicts", 2),
        ("offset", 3),
        ("version", 1),
        ("notes", "something else"),
    ],
)
def test_a_record_with_another_payload_is_reported(observed: Observed, name: str, value: object) -> None:
    _, event = documents(observed)
    events = {**observed.events, PICKED_UP.event_id: event | {name: value}}
    [found] = violations(replace(observed, events=events))
    assert found.startswith(f"{PICKED_UP.event_id}: {name} is {value!r}, not ")


@pytest.mark.parametrize(
    ("name", "value"),
    [("current_status", "in_transit"), ("version", 6), ("client_id", "client_002"), ("updated_at", None)],
)
def test_a_shipment_with_other_fields_is_reported(observed: Observed, name: str, value: object) -> None:
    shipment, _ = documents(observed)
    [found] = violations(replace(observed, shipments={NUMBER: shipment | {name: value}}))
    assert found.startswith(f"{NUMBER}: {name} is {value!r}, not ")


def test_a_record_that_cannot_be_read_must_be_a_dead_letter(observed: Observed) -> None:
    unread = replace(observed, log=[*observed.log, Logged((0, 99), None)])
    assert violations(unread) == ["record (0, 99): cannot be decoded, but is no dead letter"]
    assert violations(replace(unread, dead_letters=[ObservedDeadLetter((0, 99), b"", "Invalid JSON")])) == []


def test_a_dead_event_must_be_recorded_as_dead(observed: Observed) -> None:
    dead = report(Status.CANCELLED, number(9))
    log = [*observed.log, *(replace(each, place=(0, 99)) for each in log_of([dead]))]
    found = violations(
        replace(observed, log=log, dead_letters=[ObservedDeadLetter((0, 99), b"", "ValueError: bug")])
    )
    assert found == [f"{dead.event_id}: lost, it has no outcome but should be dead"]


async def holding(*, releasing: bool) -> Observed:
    """Return a day on which an event came early, and what made it legal perhaps."""
    harness = ProcessorHarness()
    partition = await harness.partition()
    steps = (JOURNEY[0], JOURNEY[2], *JOURNEY[1:2]) if releasing else (JOURNEY[0], JOURNEY[2])
    for record in records_of(*steps):
        await partition.handle([record])
    shipments, events = deepcopy((harness.documents.shipments, harness.documents.events))
    return Observed(
        log_of(steps),
        {str(key): value for key, value in shipments.items()},
        {str(key): value for key, value in events.items()},
    )


async def test_a_held_event_that_is_lost_from_its_shipment_is_reported() -> None:
    observed = await holding(releasing=False)
    assert violations(observed) == []
    shipment = {name: value for name, value in observed.shipments[NUMBER].items() if name != "held"}
    [found] = violations(replace(observed, shipments={NUMBER: shipment}))
    assert found == f"{NUMBER}: holds the records [], not [1]"


async def test_a_released_event_that_counts_as_rejected_is_reported() -> None:
    observed = await holding(releasing=True)
    assert violations(observed) == []
    early = JOURNEY[2].event_id
    rejected = {**observed.events[early], "outcome": "rejected"}
    [found] = violations(replace(observed, events={**observed.events, early: rejected}))
    assert found == f"{early}: outcome is 'rejected', not <Outcome.APPLIED: 'applied'>"
