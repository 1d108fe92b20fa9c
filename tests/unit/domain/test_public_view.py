"""The public views of a shipment: what they show, and all that they never show."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.shipments.public_view import Position, PublicShipment, PublicStep, linked_view, public_view
from domain.shipments.status import Status

View = Callable[[dict[str, Any]], PublicShipment]

NUMBER = "99M-GMPWC6W7SP2G"
SECRETS = ("Insurgentes", "Vallarta", "Dos bultos", "driver-017", "client_001", "4711", "Ana", "Refacciones")


def at(hour: int) -> datetime:
    return datetime(2026, 11, 2, hour, tzinfo=UTC)


def entry(status: str, hour: int, **more: object) -> dict[str, Any]:
    return {
        "event_id": f"evt_{NUMBER}_{hour:012x}_mhoihfk4qfwlg",
        "status": status,
        "timestamp": at(hour),
        "source": "driver-017",
        "location": None,
        "notes": "Dos bultos",
        "recorded_at": at(hour + 1),
        **more,
    }


PLACE = {"lat": 19.3629, "lng": -99.1824, "address": "Av. Insurgentes Sur 1602, CDMX"}
SHIPMENT: dict[str, Any] = {
    "tracking_number": NUMBER,
    "client_id": "client_001",
    "origin": {"address": "Av. Insurgentes Sur 1602", "coordinates": {"lat": 19.3629, "lng": -99.1824}},
    "destination": {"address": "Av. Vallarta 3959", "coordinates": {"lat": 20.6767, "lng": -103.431}},
    "package": {"weight_kg": 2.5, "content_description": "Refacciones"},
    "reference": "order 4711",
    "estimated_delivery": {"earliest": "2026-11-05T15:00:00.000Z", "latest": "2026-11-06T00:00:00.000Z"},
    "current_status": "in_transit",
    "status_history": [
        entry("created", 1),
        entry("picked_up", 2, location=PLACE, utc_offset="-06:00"),
        entry("in_warehouse", 3),
        entry("in_transit", 4),
        entry("in_transit", 5, checkpoint="arrived_at_hub", location={"lat": 20.05, "lng": 0.04}),
        entry("in_transit", 6, checkpoint="x_ray_of_client_001"),
    ],
    "last_checkpoint": {"checkpoint": "x_ray_of_client_001", "timestamp": at(6), "location": None},
    "version": 6,
    "created_at": at(1),
    "updated_at": at(7),
}


def delivered() -> dict[str, Any]:
    history = [*SHIPMENT["status_history"], entry("delivered", 8, signed_by="Ana", location=PLACE)]
    return SHIPMENT | {"current_status": "delivered", "status_history": history}


def test_the_public_sees_statuses_known_checkpoints_and_their_times() -> None:
    view = public_view(SHIPMENT)
    assert (view.tracking_number, view.current_status, view.version) == (NUMBER, Status.IN_TRANSIT, 6)
    assert view.updated_at == at(7)
    assert view.steps == (
        PublicStep(status=Status.CREATED, timestamp=at(1)),
        PublicStep(status=Status.PICKED_UP, timestamp=at(2), utc_offset="-06:00"),
        PublicStep(status=Status.IN_WAREHOUSE, timestamp=at(3)),
        PublicStep(status=Status.IN_TRANSIT, timestamp=at(4)),
        PublicStep(status=Status.IN_TRANSIT, timestamp=at(5), checkpoint="arrived_at_hub"),
    )
    assert view.expected is None


def test_a_link_adds_the_expected_delivery_and_rounded_positions() -> None:
    view = linked_view(SHIPMENT)
    assert [step.position for step in view.steps] == [
        None,
        Position(lat=19.4, lng=-99.2),
        None,
        None,
        Position(lat=20.1, lng=0.0),
    ]
    assert view.expected is not None
    assert view.expected.earliest == datetime(2026, 11, 5, 15, tzinfo=UTC)
    assert view.expected.latest == datetime(2026, 11, 6, tzinfo=UTC)
    without = tuple(replace(step, position=None) for step in view.steps)
    assert replace(view, expected=None, steps=without) == public_view(SHIPMENT)


@pytest.mark.parametrize("view", [public_view, linked_view])
def test_no_view_has_an_address_a_note_a_source_a_client_or_a_signature(view: View) -> None:
    text = repr(asdict(view(delivered())))
    assert not [secret for secret in SECRETS if secret in text]
    assert "19.36" not in text


def test_a_shipment_has_ended_when_its_last_status_was_recorded() -> None:
    assert public_view(SHIPMENT).ended_at is None
    assert public_view(delivered()).ended_at == at(9)


def test_a_position_just_west_of_zero_is_not_minus_zero() -> None:
    shipment = SHIPMENT | {"status_history": [entry("created", 1, location={"lat": -0.01, "lng": -0.04})]}
    assert repr(linked_view(shipment).steps[0].position) == "Position(lat=0.0, lng=0.0)"
