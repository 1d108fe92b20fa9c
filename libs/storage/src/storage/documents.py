"""Documents of the two collections that events write, and back (shapes: DESIGN section 7)."""

from datetime import datetime
from typing import Any

from domain.batch import Delivery, EventChange, EventRecord, Outcome, ShipmentChange
from domain.commands import Command, CreateShipment, ReportStatus
from domain.errors import ErrorCode
from domain.shipment import Shipment
from domain.status import Status

Document = dict[str, Any]

SHIPMENT_FIELDS = {"client_id": 1, "current_status": 1, "version": 1, "status_history.event_id": 1}
EVENT_FIELDS = {
    "outcome": 1,
    "reason": 1,
    "fingerprint": 1,
    "last_offset": 1,
    "version": 1,
    "client_id": 1,
    "timestamp": 1,
    "request_key": 1,
}
API_SOURCE = "api"


def shipment_of(document: Document) -> Shipment:
    """Return the state that deciding needs, from the fields `SHIPMENT_FIELDS`."""
    return Shipment(
        document["_id"],
        document["client_id"],
        Status(document["current_status"]),
        document["version"],
        tuple(entry["event_id"] for entry in document["status_history"]),
    )


def event_of(document: Document) -> EventRecord:
    """Return what is known of an event, from the fields `EVENT_FIELDS`."""
    reason = document["reason"]
    return EventRecord(
        event_id=document["_id"],
        outcome=Outcome(document["outcome"]),
        reason=ErrorCode(reason) if reason in ErrorCode.__members__ else None,
        fingerprint=document["fingerprint"],
        last_offset=document["last_offset"],
        version=document["version"],
        client_id=document["client_id"],
        timestamp=document["timestamp"],
        request_key=document.get("request_key"),
    )


def event_document(change: EventChange, *, partition: int, recorded_at: datetime) -> Document:
    """Return the record of an event that was judged for the first time."""
    document = judged_fields(change, partition=partition, recorded_at=recorded_at)
    document["_id"] = change.event_id
    document["attempts"] = change.attempts
    document["duplicates"] = change.duplicates
    document["conflicts"] = change.conflicts
    return document


def judged_fields(change: EventChange, *, partition: int, recorded_at: datetime) -> Document:
    """Return the fields that a judgement sets, the first as well as a later one."""
    delivery, record = change.judged, change.record
    if delivery is None or record is None:
        raise ValueError(f"{change.event_id} was counted, not judged")
    fields = described(delivery.command)
    fields["client_id"] = record.client_id
    fields["outcome"] = record.outcome.value
    fields["reason"] = record.reason.value if record.reason is not None else None
    fields["version"] = record.version
    fields["fingerprint"] = delivery.fingerprint
    fields["partition"] = partition
    fields["offset"] = delivery.offset
    fields["last_offset"] = change.last_offset
    fields["recorded_at"] = recorded_at
    return fields


def described(command: Command) -> Document:
    """Return what a command says of itself, in the words of the audit log."""
    fields: Document = {
        "tracking_number": command.tracking_number,
        "timestamp": command.timestamp,
        "received_at": command.received_at,
        "submitted_by": command.submitted_by,
    }
    if isinstance(command, ReportStatus):
        fields["status"] = command.status.value
        fields["source"] = command.source
        fields["location"] = command.location
        fields["notes"] = command.notes
    else:
        fields["status"] = Status.CREATED.value
        fields["source"] = API_SOURCE
        fields["location"] = None
        fields["notes"] = None
        fields["request_key"] = command.request_key
    return fields


def shipment_document(change: ShipmentChange, *, recorded_at: datetime) -> Document:
    """Return a shipment that this batch creates, with all that the batch applied to it."""
    creation = change.applied[0].command
    if not isinstance(creation, CreateShipment):
        raise TypeError(f"{creation.event_id} is applied first, but creates nothing")
    return {
        "_id": change.after.tracking_number,
        "client_id": change.after.client_id,
        "origin": creation.origin,
        "destination": creation.destination,
        "package": creation.package,
        "current_status": change.after.status.value,
        "status_history": [history_entry(delivery, recorded_at) for delivery in change.applied],
        "version": change.after.version,
        "created_at": creation.timestamp,
        "updated_at": recorded_at,
    }


def shipment_update(change: ShipmentChange, *, recorded_at: datetime) -> Document:
    """Return the `$set` that takes a shipment to its new state.

    History is written by position: repeating it is harmless, which `$push` would not be, and it is cheaper.
    """
    first = len(change.after.applied) - len(change.applied)
    fields: Document = {
        f"status_history.{first + index}": history_entry(delivery, recorded_at)
        for index, delivery in enumerate(change.applied)
    }
    fields["current_status"] = change.after.status.value
    fields["version"] = change.after.version
    fields["updated_at"] = recorded_at
    return fields


def history_entry(delivery: Delivery, recorded_at: datetime) -> Document:
    """Return the line that an applied event leaves in its shipment's history."""
    fields = described(delivery.command)
    return {
        "event_id": delivery.command.event_id,
        "status": fields["status"],
        "timestamp": fields["timestamp"],
        "source": fields["source"],
        "location": fields["location"],
        "notes": fields["notes"],
        "recorded_at": recorded_at,
    }
