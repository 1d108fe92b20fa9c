"""The commands and changes whose bytes stand in `golden/`: by the name of the file."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from domain.processing.batch import EventRecord, Outcome
from domain.shipments.commands import (
    AmendShipment,
    Command,
    CreateShipment,
    ReportCheckpoint,
    ReportStatus,
    RetractEvent,
)
from domain.shipments.event_identity import API_SOURCE, creation_event_id, event_id, retraction_event_id
from domain.shipments.status import Status
from domain.shipments.tracking_number import parse_tracking_number

GOLDEN: Final = Path(__file__).parent / "golden"
NUMBER: Final = parse_tracking_number("99M-0123456789AM")

_CREATED_AT = datetime(2026, 3, 1, 12, 0, 0, 5000, tzinfo=UTC)
_SEEN_AT = datetime(2026, 3, 1, 15, 30, 59, 987000, tzinfo=UTC)
_RECEIVED_AT = datetime(2026, 3, 1, 15, 31, tzinfo=UTC)


def _created(*, complete: bool) -> CreateShipment:
    return CreateShipment(
        event_id=creation_event_id(NUMBER),
        tracking_number=NUMBER,
        client_id="client_001",
        origin={
            "address": "Calle 26 #59-41, Bogotá",
            "coordinates": {"lat": 4.6482, "lng": -74.1025},
        },
        destination={
            "address": 'Av. "Arequipa" 1250, Lima \U0001f69a',
            "coordinates": {"lat": -12.0, "lng": 0.0},
        },
        package={
            "weight_kg": 2.5,
            "dimensions": {"length": 30.0, "width": 20.5, "height": 10.0},
            "content_description": "libros",
        }
        if complete
        else {"weight_kg": 0.1},
        timestamp=_CREATED_AT,
        received_at=_CREATED_AT,
        submitted_by="client_user_001",
        request_key="3f2a" * 8 if complete else None,
    )


def _created_ordered() -> CreateShipment:
    return replace(
        _created(complete=True),
        reference="orden 4711/ñ",
        estimated_delivery={"earliest": "2026-03-04T15:00:00.000Z", "latest": "2026-03-04T18:00:00.000Z"},
    )


def _amended_order() -> AmendShipment:
    return replace(
        _amended(complete=False),
        changes={
            "reference": "orden 4712",
            "estimated_delivery": {
                "earliest": "2026-03-05T15:00:00.000Z",
                "latest": "2026-03-05T15:00:00.000Z",
            },
        },
    )


def _reported(*, complete: bool) -> ReportStatus:
    return ReportStatus(
        event_id=event_id(NUMBER, _SEEN_AT, "scanner-7"),
        tracking_number=NUMBER,
        status=Status.IN_WAREHOUSE if complete else Status.DELIVERED,
        timestamp=_SEEN_AT,
        source="scanner-7",
        received_at=_RECEIVED_AT,
        submitted_by="driver_user_001",
        location={"lat": -34.6037, "lng": -58.3816, "address": "Depósito 4"} if complete else None,
        notes="línea 1\nlínea 2" if complete else None,
    )


def _signed() -> ReportStatus:
    return replace(_reported(complete=False), signed_by="María Peña")


def _passed(*, complete: bool) -> ReportCheckpoint:
    return ReportCheckpoint(
        event_id=event_id(NUMBER, _SEEN_AT, "hub-mex"),
        tracking_number=NUMBER,
        checkpoint="arrived_at_hub" if complete else "x",
        timestamp=_SEEN_AT,
        source="hub-mex",
        received_at=_RECEIVED_AT,
        submitted_by="driver_user_001",
        location={"lat": 19.4361, "lng": -99.0719, "address": "Centro de distribución"} if complete else None,
        notes="andén 3" if complete else None,
        utc_offset="-06:00" if complete else None,
    )


def _reported_local() -> ReportStatus:
    return replace(_reported(complete=True), utc_offset="-06:00")


def _amended(*, complete: bool) -> AmendShipment:
    return AmendShipment(
        event_id=event_id(NUMBER, _SEEN_AT, API_SOURCE),
        tracking_number=NUMBER,
        changes={
            "origin": {"address": "Carrera 7 #71-21, Bogotá", "coordinates": {"lat": 4.656, "lng": -74.055}},
            "destination": {"address": "Av. Larco 345, Lima"},
            "package": {"weight_kg": 3.0, "dimensions": {"length": 31.0, "width": 21.0, "height": 11.0}},
        }
        if complete
        else {"package": {"content_description": "libros usados"}},
        timestamp=_SEEN_AT,
        received_at=_SEEN_AT,
        submitted_by="client_user_001" if complete else "admin_user",
        on_behalf_of="client_001" if complete else None,
    )


def _amended_side() -> AmendShipment:
    return replace(_amended(complete=False), changes={"package": {"dimensions": {"height": 12.5}}})


def _cancelled(expected_versions: tuple[int, ...] | None = None) -> ReportStatus:
    return ReportStatus(
        event_id=event_id(NUMBER, _SEEN_AT, API_SOURCE),
        tracking_number=NUMBER,
        status=Status.CANCELLED,
        timestamp=_SEEN_AT,
        source=API_SOURCE,
        received_at=_SEEN_AT,
        submitted_by="client_user_001",
        on_behalf_of="client_001",
        expected_versions=expected_versions,
    )


def _retracted(*, own: bool) -> RetractEvent:
    retracts = _reported(complete=True).event_id
    return RetractEvent(
        event_id=retraction_event_id(retracts),
        tracking_number=NUMBER,
        retracts=retracts,
        reason="otra puerta" if own else "scanned at the wrong door",
        timestamp=_RECEIVED_AT,
        received_at=_RECEIVED_AT,
        submitted_by="driver_user_001" if own else "admin_user",
        reported_by="driver_user_001" if own else None,
    )


def _applied(
    command: Command, version: int, status: Status, *, previous: Status | None = None
) -> EventRecord:
    return EventRecord(
        event_id=command.event_id,
        outcome=Outcome.APPLIED,
        reason=None,
        fingerprint="not given",
        last_offset=41,
        version=version,
        client_id="client_001",
        timestamp=command.timestamp,
        status=status,
        previous_status=previous,
    )


COMMANDS: Final[Mapping[str, Command]] = {
    "created": _created(complete=True),
    "created_bare": _created(complete=False),
    "created_ordered": _created_ordered(),
    "amended_order": _amended_order(),
    "status": _reported(complete=True),
    "status_bare": _reported(complete=False),
    "status_local": _reported_local(),
    "status_signed": _signed(),
    "checkpoint": _passed(complete=True),
    "checkpoint_bare": _passed(complete=False),
    "cancelled": _cancelled(),
    "cancelled_if_match": _cancelled((3, 4)),
    "amended_if_match": replace(_amended(complete=False), expected_versions=(2,)),
    "amended_if_never": replace(_amended(complete=False), expected_versions=()),
    "amended": _amended(complete=True),
    "amended_bare": _amended(complete=False),
    "amended_side": _amended_side(),
    "retracted": _retracted(own=False),
    "retracted_own": _retracted(own=True),
}
CHANGES: Final[Mapping[str, tuple[Command, EventRecord]]] = {
    "changed_created": (_created(complete=True), _applied(_created(complete=True), 1, Status.CREATED)),
    "changed_created_ordered": (_created_ordered(), _applied(_created_ordered(), 1, Status.CREATED)),
    "changed_amended_order": (_amended_order(), _applied(_amended_order(), 2, Status.CREATED)),
    "changed_status": (_reported(complete=True), _applied(_reported(complete=True), 3, Status.IN_WAREHOUSE)),
    "changed_status_bare": (
        _reported(complete=False),
        _applied(_reported(complete=False), 5, Status.DELIVERED),
    ),
    "changed_status_signed": (_signed(), _applied(_signed(), 5, Status.DELIVERED)),
    "changed_checkpoint": (_passed(complete=True), _applied(_passed(complete=True), 6, Status.IN_TRANSIT)),
    "changed_status_local": (_reported_local(), _applied(_reported_local(), 3, Status.IN_WAREHOUSE)),
    "changed_corrected": (
        _retracted(own=False),
        _applied(_retracted(own=False), 4, Status.PICKED_UP, previous=Status.IN_WAREHOUSE),
    ),
    "changed_cancelled": (
        _cancelled(),
        _applied(_cancelled(), 3, Status.CANCELLED, previous=Status.PICKED_UP),
    ),
    "changed_cancelled_older": (_cancelled(), _applied(_cancelled(), 3, Status.CANCELLED)),
    "changed_amended": (_amended(complete=True), _applied(_amended(complete=True), 2, Status.CREATED)),
}
