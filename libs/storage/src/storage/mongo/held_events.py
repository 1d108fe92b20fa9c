"""Conversion between held events and the documents of them in `shipments` and `status_events`."""

from typing import Any, Final

from domain.shipments.commands import OBSERVED, ReportStatus, put_given
from domain.shipments.event_identity import EventId
from domain.shipments.shipment import HeldEvent
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber

Document = dict[str, Any]

HELD: Final = "held"
"""Field of a shipment with its held events, in the order of the log; absent if there are none."""
RELEASED: Final = "released"
"""Field of an event with the events that it released, in their order; absent if there are none."""
HELD_UNTIL: Final = "held_until"
"""Field of an event: until when it is held, null when that has ended, absent if it never was."""
HOLD: Final = "hold"
"""Field of an event: the offset of the record that was held last, and for how many seconds."""

_SAME: Final = ("timestamp", "source", "utc_offset", "received_at", "submitted_by")
"""Fields of a report, beside those of its observation, under their own names."""


def held_document(held: HeldEvent) -> Document:
    """Return the document of a held event: in its shipment, or in the record of its releaser."""
    command = held.command
    fields: Document = {"event_id": command.event_id, "status": str(command.status)}
    for name in _SAME:
        value = getattr(command, name)
        if value is not None:
            fields[name] = value
    put_given(fields, command, OBSERVED)
    return fields | {"fingerprint": held.fingerprint, "offset": held.offset, HELD_UNTIL: held.held_until}


def held_document_of(event: Document) -> Document:
    """Return the document in the shipment of an event that the audit log says is held."""
    return held_document(held_event_of(event | {"event_id": event["_id"]}, event["tracking_number"]))


def held_event_of(document: Document, number: TrackingNumber) -> HeldEvent:
    """Return the held event in a document that `held_document` made."""
    fields: Document = {name: document.get(name) for name in (*_SAME, *OBSERVED)}
    command = ReportStatus(
        event_id=EventId(document["event_id"]),
        tracking_number=number,
        status=Status(document["status"]),
        **fields,
    )
    return HeldEvent(
        command=command,
        fingerprint=document["fingerprint"],
        offset=document["offset"],
        held_until=document[HELD_UNTIL],
    )
