"""The messages of the change feed: applied changes as CloudEvents 1.0 in structured JSON mode."""

from typing import Any, Final

from pydantic_core import to_json

from domain.processing.batch import EventRecord
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
from domain.timestamps import format_timestamp
from messaging.codec import put_observation

CHANGED_TYPE: Final = "waybill.shipment.changed.v1"
CORRECTED_TYPE: Final = "waybill.shipment.corrected.v1"


def encode_change(command: Command, record: EventRecord) -> bytes:
    """Return the message of an applied event: the same bytes whenever it is published."""
    data: dict[str, Any] = {
        "event_id": command.event_id,
        "tracking_number": command.tracking_number,
        "client_id": record.client_id,
        "status": str(record.status) if record.status is not None else None,
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
