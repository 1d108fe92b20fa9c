"""The messages of the change feed: applied changes as CloudEvents 1.0 in structured JSON mode."""

from datetime import datetime
from typing import Any, Final, Literal, NotRequired

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from domain.errors import PoisonRecord
from domain.processing.batch import EventRecord
from domain.processing.previous_status import previous_status
from domain.shipments.commands import (
    DESCRIBED,
    PUBLISHED,
    Command,
    CreateShipment,
    Report,
    ReportCheckpoint,
    RetractEvent,
    put_given,
)
from domain.shipments.event_identity import API_SOURCE
from domain.shipments.status import Status
from domain.timestamps import format_timestamp, parse_timestamp
from domain.webhooks.message import Change
from messaging.codec import first_fault, put_observation, to_json
from messaging.wire_shapes import Location

CHANGED_TYPE: Final = "waybill.shipment.changed.v1"
CORRECTED_TYPE: Final = "waybill.shipment.corrected.v1"


class _Data(TypedDict):
    """Fields of a change that are read; the others are ignored, those of later releases too."""

    event_id: str
    tracking_number: str
    client_id: str
    status: Status
    previous_status: NotRequired[Status | None]
    version: int
    timestamp: str
    source: NotRequired[str]
    location: NotRequired[Location]
    notes: NotRequired[str]
    checkpoint: NotRequired[str]
    changes: NotRequired[dict[str, Any]]
    retracts: NotRequired[str]
    reason: NotRequired[str]


class _Message(TypedDict):
    type: Literal["waybill.shipment.changed.v1", "waybill.shipment.corrected.v1"]
    data: _Data


_MESSAGE: Final = TypeAdapter(_Message)


def encode_change(command: Command, record: EventRecord) -> bytes:
    """Return the message of an applied event: the same bytes whenever it is published."""
    # As plain texts: serializing members of enumerations would take longer than all the rest.
    status = None if record.status is None else str(record.status)
    previous = previous_status(command, record)
    data: dict[str, Any] = {
        "event_id": command.event_id,
        "tracking_number": command.tracking_number,
        "client_id": record.client_id,
        "status": status,
        "current_status": status,
        "previous_status": None if previous is None else str(previous),
        "version": record.version,
        "timestamp": format_timestamp(command.timestamp),
    }
    if isinstance(command, ReportCheckpoint):
        data["checkpoint"] = command.checkpoint
    if isinstance(command, Report):
        put_observation(data, command, PUBLISHED)
    elif isinstance(command, CreateShipment):
        put_given(data, command, DESCRIBED)
    elif isinstance(command, RetractEvent):
        data |= {"source": API_SOURCE, "retracts": command.retracts, "reason": command.reason}
    else:
        data |= {"source": API_SOURCE, "changes": command.changes}
    return to_json(
        {
            "specversion": "1.0",
            "id": command.event_id,
            "source": "/processor",
            "type": CORRECTED_TYPE if isinstance(command, RetractEvent) else CHANGED_TYPE,
            "subject": command.tracking_number,
            "time": data["timestamp"],
            "data": data,
        }
    )


def decode_change(value: bytes | None) -> Change:
    """Read a change from the value of a message; one of an earlier release lacks the previous status.

    Raises:
        PoisonRecord: the value is not a valid change; the reason says where.
    """
    if value is None:
        raise PoisonRecord("the message has no value")
    try:
        data = _MESSAGE.validate_json(value)["data"]
    except ValidationError as error:
        raise PoisonRecord(first_fault(error)) from error
    return Change(
        change_id=data["event_id"],
        tracking_number=data["tracking_number"],
        client_id=data["client_id"],
        version=data["version"],
        current_status=data["status"],
        previous_status=data.get("previous_status"),
        timestamp=_instant(data["timestamp"]),
        source=data.get("source", API_SOURCE),
        location=data.get("location"),
        notes=data.get("notes"),
        checkpoint=data.get("checkpoint"),
        changes=data.get("changes"),
        retracts=data.get("retracts"),
        reason=data.get("reason"),
    )


def _instant(text: str) -> datetime:
    try:
        return parse_timestamp(text)
    except (ValueError, OverflowError) as error:
        raise PoisonRecord(f"data.timestamp: {error}") from error
