"""The fields of an event and of a shipment: each contract names those of the domain, and no others."""

from dataclasses import fields
from typing import Any, get_type_hints

import pytest

from docgen.messages import ChangeData
from domain.access.permissions import Principal, Role
from domain.shipments.commands import (
    DESCRIBED,
    OBSERVED,
    PUBLISHED,
    CreateShipment,
    Description,
    Observation,
    ReportStatus,
    ShipmentChanges,
)
from domain.shipments.status import Status
from ingest_api.schemas.events import EventIn, command_of
from ingest_api.schemas.shipment_forms import nested
from ingest_api.schemas.shipments import FlatShipmentIn, ShipmentChangesIn, ShipmentIn
from messaging import wire_shapes
from query_api.openapi import response_models as responses
from storage.mongo.documents import ABSENT, OTHER_PAYLOAD_FIELDS
from storage.mongo.queries.readers import EVENT_FIELDS, SHIPMENT_FIELDS
from tests.support.builders import NOON, NUMBER

SAYS_ANYHOW = {"tracking_number", "status", "checkpoint", "timestamp", "source"}


def names(model: type) -> set[str]:
    """Return the fields of a typed dict, inherited ones too."""
    return set(get_type_hints(model))


@pytest.mark.parametrize("model", [wire_shapes.Observation, responses.Observation])
def test_contracts_name_the_fields_of_an_event(model: type) -> None:
    assert names(model) == set(OBSERVED)


def test_an_event_may_be_sent_with_these_fields() -> None:
    assert names(EventIn) == SAYS_ANYHOW | set(OBSERVED)


def test_an_event_is_a_command_with_all_that_was_sent() -> None:
    sent: Any = {
        "tracking_number": NUMBER,
        "status": Status.DELIVERED,
        "timestamp": NOON,
        "source": "scanner-1",
    }
    sent |= {name: {"lat": 1.0, "lng": 2.0, "address": name} for name in OBSERVED}
    command = command_of(sent, Principal("driver_user_001", Role.PRODUCER), NOON)
    assert {name: getattr(command, name) for name in sent} == sent


@pytest.mark.parametrize("model", [wire_shapes.Description, responses.Description])
def test_contracts_name_the_fields_of_a_shipment(model: type) -> None:
    assert names(model) == set(DESCRIBED)


@pytest.mark.parametrize(
    "model", [ShipmentChanges, ShipmentChangesIn, wire_shapes.Changes, responses.Changes]
)
def test_each_field_of_a_shipment_can_be_changed(model: type) -> None:
    assert names(model) == set(DESCRIBED)


def test_a_shipment_may_be_sent_with_these_fields_in_both_forms() -> None:
    assert names(ShipmentIn) == {"client_id", *DESCRIBED}
    assert set(nested(dict.fromkeys(names(FlatShipmentIn), 1))) == {"client_id", *DESCRIBED}


@pytest.mark.parametrize(("model", "observed"), [(ChangeData, PUBLISHED), (responses.OtherPayload, OBSERVED)])
def test_what_shows_any_command_has_the_fields_of_all(model: type, observed: tuple[str, ...]) -> None:
    assert names(model) >= {*observed, *DESCRIBED}


def test_the_change_feed_does_not_say_who_signed() -> None:
    assert set(OBSERVED) - set(PUBLISHED) == {"signed_by"}
    assert "signed_by" not in names(ChangeData)


@pytest.mark.parametrize(
    "model", [ChangeData, responses.HistoryEntry, responses.Event, responses.OtherPayload]
)
def test_what_shows_an_event_shows_its_checkpoint(model: type) -> None:
    assert "checkpoint" in names(model)
    assert {"checkpoint", "other_payloads.checkpoint"} <= set(EVENT_FIELDS)


def test_readers_return_the_fields() -> None:
    assert set(EVENT_FIELDS) >= {*OBSERVED, *(f"other_payloads.{name}" for name in (*OBSERVED, *DESCRIBED))}
    assert set(SHIPMENT_FIELDS) >= set(DESCRIBED)
    assert set(OTHER_PAYLOAD_FIELDS) >= {*OBSERVED, *DESCRIBED}


def test_a_newer_field_is_absent_where_it_is_not_given() -> None:
    # Stored events lack it, and another payload that lacks it removes it.
    assert set(OBSERVED) - {"location", "notes"} <= set(ABSENT)
    assert set(DESCRIBED) <= set(ABSENT)


def test_a_newer_field_is_optional() -> None:
    # Stored shipments and records of the log lack it.
    required = {
        each.name for each in (*fields(Description), *fields(Observation)) if each.default is not None
    }
    assert required == {"origin", "destination", "package"}


def test_commands_have_the_fields() -> None:
    assert issubclass(ReportStatus, Observation)
    assert issubclass(CreateShipment, Description)
