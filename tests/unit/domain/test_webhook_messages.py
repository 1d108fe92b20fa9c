"""Messages of webhooks: types, bodies, and which endpoints want them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shipments.status import Status
from domain.webhooks.endpoint import ALL_TYPES, can_match, matches, types_wanted
from domain.webhooks.message import MESSAGE_TYPES, TEST, Change, full_body, thin_body

AT: Final = datetime(2026, 3, 1, 15, 30, 59, 987_000, tzinfo=UTC)
AT_TEXT: Final = "2026-03-01T15:30:59.987Z"
PICKED_UP: Final = Change(
    change_id="evt_1",
    tracking_number="99M-0123456789AM",
    client_id="client_001",
    version=2,
    current_status=Status.PICKED_UP,
    previous_status=Status.CREATED,
    timestamp=AT,
    source="scanner-7",
    location={"lat": 4.65, "lng": -74.1, "address": "Calle 26"},
    notes="puerta 2",
)
CREATED: Final = Change(
    change_id="evt_0",
    tracking_number="99M-0123456789AM",
    client_id="client_001",
    version=1,
    current_status=Status.CREATED,
    previous_status=None,
    timestamp=AT,
)
CHECKPOINT: Final = replace(PICKED_UP, previous_status=Status.PICKED_UP, checkpoint="arrived_at_hub")
AMENDED: Final = replace(CREATED, version=2, previous_status=Status.CREATED, changes={"reference": "4712"})
CORRECTED: Final = replace(
    CREATED, version=3, previous_status=Status.PICKED_UP, retracts="evt_1", reason="wrong door"
)


def test_a_full_body_says_all_of_a_change() -> None:
    assert full_body(PICKED_UP) == {
        "type": "shipment.picked_up",
        "timestamp": AT_TEXT,
        "data": {
            "tracking_number": "99M-0123456789AM",
            "client_id": "client_001",
            "version": 2,
            "current_status": "picked_up",
            "previous_status": "created",
            "event": {
                "event_id": "evt_1",
                "status": "picked_up",
                "timestamp": AT_TEXT,
                "source": "scanner-7",
                "location": {"lat": 4.65, "lng": -74.1, "address": "Calle 26"},
                "notes": "puerta 2",
            },
        },
    }


def test_a_thin_body_says_which_shipment_and_version() -> None:
    assert thin_body(PICKED_UP) == {
        "type": "shipment.picked_up",
        "timestamp": AT_TEXT,
        "data": {"tracking_number": "99M-0123456789AM", "version": 2},
    }


@pytest.mark.parametrize(
    ("change", "type_", "more"),
    [
        (CREATED, "shipment.created", {}),
        (CHECKPOINT, "shipment.checkpoint", {"checkpoint": "arrived_at_hub"}),
        (AMENDED, "shipment.amended", {"changes": {"reference": "4712"}}),
        (CORRECTED, "shipment.corrected", {"retracts": "evt_1", "reason": "wrong door"}),
    ],
)
def test_each_kind_of_change_has_its_type_and_says_what_is_its_own(
    change: Change, type_: str, more: Mapping[str, Any]
) -> None:
    body = full_body(change)
    assert (body["type"], thin_body(change)["type"]) == (type_, type_)
    event = body["data"]["event"]
    usual = full_body(PICKED_UP)["data"]["event"]
    assert {name: event[name] for name in event if name not in usual} == more


def test_what_the_api_did_has_its_source_and_no_place() -> None:
    for change in (CREATED, AMENDED, CORRECTED):
        event = full_body(change)["data"]["event"]
        assert (event["source"], event["location"], event["notes"]) == ("api", None, None)


def test_a_creation_has_no_status_before_it() -> None:
    assert full_body(CREATED)["data"]["previous_status"] is None


@pytest.mark.parametrize("status", Status)
def test_each_status_has_a_type(status: Status) -> None:
    change = replace(PICKED_UP, current_status=status)
    assert change.type == f"shipment.{status}"
    assert change.type in MESSAGE_TYPES


def test_an_endpoint_that_names_no_types_wants_all_but_the_test() -> None:
    assert types_wanted(ALL_TYPES) == set(MESSAGE_TYPES)
    assert TEST not in types_wanted(["*"])


@given(st.lists(st.sampled_from([*MESSAGE_TYPES, "*", "shipment.*", "shipment.c*", "other", "shipment"])))
def test_the_wanted_types_are_those_that_a_pattern_matches(patterns: list[str]) -> None:
    wanted = types_wanted(patterns)
    assert wanted <= set(MESSAGE_TYPES)
    for type_ in MESSAGE_TYPES:
        assert (type_ in wanted) == any(matches(pattern, type_) for pattern in patterns)
    assert bool(wanted) == any(can_match(pattern) for pattern in patterns)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("shipment.delivered", {"shipment.delivered"}),
        (
            "shipment.c*",
            {"shipment.created", "shipment.cancelled", "shipment.checkpoint", "shipment.corrected"},
        ),
        ("shipment.*", set(MESSAGE_TYPES)),
        ("shipment", set()),
        ("Shipment.delivered", set()),
    ],
)
def test_a_star_stands_for_any_rest_and_nothing_else_does(pattern: str, wanted: set[str]) -> None:
    assert types_wanted([pattern]) == wanted
