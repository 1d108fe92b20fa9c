"""The documents of DESIGN section 7, written a second time on purpose: the contract holds them together."""

from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime

from domain.ports.core import Document
from domain.processing.batch import ConsumedCommand, EventChange, EventRecord, Outcome
from domain.shipments.commands import (
    AmendShipment,
    Command,
    CreateShipment,
    Report,
    ReportCheckpoint,
    ReportStatus,
    RetractEvent,
)
from domain.shipments.event_identity import EventId
from domain.shipments.rejection import RejectionReason
from domain.shipments.retraction import HistoryEntry
from domain.shipments.shipment import HeldEvent, Shipment
from domain.shipments.status import TRANSITIONS, Status
from domain.shipments.tracking_number import TrackingNumber

MOST_CHECKPOINTS = 100


def history_entry(command: Command, recorded_at: datetime) -> Document:
    """Return the entry of an applied event in its shipment's history."""
    entry: Document = {
        "event_id": command.event_id,
        "status": Status.CREATED.value if isinstance(command, CreateShipment) else None,
        "timestamp": command.timestamp,
        "source": "api",
        "location": None,
        "notes": None,
        "recorded_at": recorded_at,
    }
    if isinstance(command, ReportCheckpoint):
        entry["checkpoint"] = command.checkpoint
    if isinstance(command, Report):
        entry |= {
            "status": command.status.value if isinstance(command, ReportStatus) else None,
            "source": command.source,
            "location": command.location,
            "notes": command.notes,
        }
        if command.signed_by is not None:
            entry["signed_by"] = command.signed_by
        if command.utc_offset is not None:
            entry["utc_offset"] = command.utc_offset
    return entry


def shipment_document(command: Command) -> Document:
    """Return a shipment as its creation describes it, before any event is applied."""
    assert isinstance(command, CreateShipment), "only a creation comes first"
    return {
        "tracking_number": command.tracking_number,
        "client_id": command.client_id,
        "origin": command.origin,
        "destination": command.destination,
        "package": command.package,
        **_newer(command),
        "status_history": [],
        "created_at": command.timestamp,
    }


def amend(shipment: Document, command: AmendShipment) -> None:
    """Merge what an amendment says into a shipment."""
    changes: Document = {**command.changes}
    for part, members in changes.items():
        if part in ("reference", "estimated_delivery"):
            shipment[part] = members
            continue
        before = shipment[part]
        shipment[part] = before | members
        if "dimensions" in members:
            shipment[part]["dimensions"] = before.get("dimensions", {}) | members["dimensions"]


def add_to_history(shipment: Document, entry: Document) -> None:
    """Append an entry of a status; put a checkpoint, with the status that holds, over the oldest of 100."""
    history = shipment["status_history"]
    if "checkpoint" not in entry:
        history.append(entry)
        return
    entry["status"] = history[-1]["status"]
    ring, count = shipment.setdefault("checkpoints", []), shipment.get("checkpoint_count", 0)
    ring[count % MOST_CHECKPOINTS : count % MOST_CHECKPOINTS + 1] = [entry]
    shipment["checkpoint_count"] = count + 1


def take_back(shipment: Document, event_id: EventId) -> None:
    """Take the last entry off a history."""
    history, count = shipment["status_history"], shipment.get("checkpoint_count", 0)
    if history[-1]["event_id"] == event_id:
        history.pop()
        return
    shipment["checkpoint_count"] = count - 1
    shipment["checkpoints"][(count - 1) % MOST_CHECKPOINTS] = None
    if count == 1:
        del shipment["checkpoints"], shipment["checkpoint_count"]


def history_of(stored: Document, events: Iterable[Document]) -> list[HistoryEntry]:
    """Return the entries of a history: the statuses of a shipment, and all checkpoints of the audit log."""
    passed = [
        event
        for event in sorted(events, key=lambda each: each["version"] or 0)
        if event["tracking_number"] == stored["tracking_number"]
        and "checkpoint" in event
        and event["outcome"] == Outcome.APPLIED
    ]
    return [
        HistoryEntry(each["event_id"], Status(each["status"]))
        for entry in stored["status_history"]
        for each in (entry, *(other for other in passed if other["status"] == entry["status"]))
    ]


def shown_shipment(stored: Document) -> Document:
    """Return a shipment in the shape of the API: with one history."""
    shipment = deepcopy({name: value for name, value in stored.items() if name != "held"})
    ring, count = shipment.pop("checkpoints", []), shipment.pop("checkpoint_count", 0)
    kept = min(count, MOST_CHECKPOINTS)
    passed = [ring[index % MOST_CHECKPOINTS] for index in range(count - kept, count)]
    passed = [each for each in passed if each is not None]
    history = shipment["status_history"]
    shipment["status_history"] = []
    for entry in history:
        shipment["status_history"] += [entry, *(each for each in passed if each["status"] == entry["status"])]
    last = shipment["status_history"][-1]
    if "checkpoint" in last:
        shipment["last_checkpoint"] = {name: last[name] for name in ("checkpoint", "timestamp", "location")}
    return shipment


def event_document(consumed: ConsumedCommand, recorded_at: datetime) -> Document:
    """Return the record of an event that is not judged or counted yet."""
    command = consumed.command
    return history_entry(command, recorded_at) | {
        "tracking_number": command.tracking_number,
        "client_id": None,
        "received_at": command.received_at,
        "submitted_by": command.submitted_by,
        "version": None,
        "fingerprint": consumed.fingerprint,
        "request_key": command.request_key if isinstance(command, CreateShipment) else None,
        "offset": consumed.offset,
        "last_offset": consumed.offset,
        "attempts": 0,
        "duplicates": 0,
        "conflicts": 0,
        **_description(command),
    }


def other_payload(consumed: ConsumedCommand, reason: str | None) -> Document:
    """Return the stored fields of another payload."""
    entry = history_entry(consumed.command, consumed.command.received_at)
    command = consumed.command
    said: Document = {} if reason == RejectionReason.TRACKING_NUMBER_TAKEN else _description(command)
    names = ("status", "checkpoint", "location", "notes", "signed_by")
    said |= {name: entry[name] for name in names if name in entry}
    return said | {
        "submitted_by": command.submitted_by,
        "received_at": command.received_at,
        "offset": consumed.offset,
        "reason": reason,
        "fingerprint": consumed.fingerprint,
    }


def _description(command: Command) -> Document:
    if isinstance(command, CreateShipment):
        parts = {"origin": command.origin, "destination": command.destination, "package": command.package}
        return parts | _newer(command)
    if isinstance(command, RetractEvent):
        return {"retraction": {"event_id": command.retracts, "reason": command.reason}}
    return {"changes": command.changes} if isinstance(command, AmendShipment) else {}


def _newer(command: CreateShipment) -> Document:
    """Return the fields that are absent where they are not given."""
    fields = {"reference": command.reference, "estimated_delivery": command.estimated_delivery}
    return {name: value for name, value in fields.items() if value is not None}


def judged_fields(
    consumed: ConsumedCommand, record: EventRecord, partition: str, recorded_at: datetime
) -> Document:
    """Return the fields that a verdict sets, the first as well as a later one."""
    command = consumed.command
    changes: Document = {} if isinstance(command, CreateShipment) else _description(command)
    return (
        history_entry(command, recorded_at)
        | changes
        | {
            "status": None if record.status is None else record.status.value,
            "received_at": command.received_at,
            "submitted_by": command.submitted_by,
            "client_id": record.client_id,
            "outcome": record.outcome.value,
            "reason": record.reason.value if record.reason else None,
            "version": record.version,
            "fingerprint": record.fingerprint,
            "request_key": record.request_key,
            "partition": int(partition.rpartition("/")[2]),
            "offset": consumed.offset,
            **_explanation(record),
            **_previous(record),
        }
    )


def _explanation(record: EventRecord) -> Document:
    if record.current_status is None:
        return {}
    allowed = TRANSITIONS[record.current_status]
    return {
        "current_status": record.current_status.value,
        "may_follow": [status.value for status in Status if status in allowed],
    }


def _previous(record: EventRecord) -> Document:
    return {} if record.previous_status is None else {"previous_status": record.previous_status.value}


def held_document(held: HeldEvent) -> Document:
    """Return a held event as its shipment keeps it."""
    document = history_entry(held.command, held.command.received_at)
    del document["recorded_at"]
    said = {name: value for name, value in document.items() if value is not None}
    return said | {
        "received_at": held.command.received_at,
        "submitted_by": held.command.submitted_by,
        "fingerprint": held.fingerprint,
        "offset": held.offset,
        "held_until": held.held_until,
    }


def held_event_of(document: Document, number: TrackingNumber) -> HeldEvent:
    """Return a held event from its document."""
    of_the_hold = ("fingerprint", "offset", "held_until")
    said = {name: value for name, value in document.items() if name not in (*of_the_hold, "status")}
    command = ReportStatus(tracking_number=number, status=Status(document["status"]), **said)
    return HeldEvent(command=command, **{name: document[name] for name in of_the_hold})


def hold_fields(change: EventChange) -> Document:
    """Return what a batch changes in how an event is held."""
    fields: Document = {}
    if change.hold is not None:
        fields["hold"] = {"offset": change.hold.offset, "seconds": int(change.hold.length.total_seconds())}
    if change.hold is not None or change.hold_end is not None:
        fields["held_until"] = change.record.held_until if change.record else None
    if change.is_retracted:
        fields |= {"outcome": "rejected", "reason": "RETRACTED"}
    record = change.record
    if record is not None and record.released:
        fields["released"] = [held_document(each) for each in record.released]
    if record is not None and record.released_by:
        fields["released_by"] = record.released_by
    return fields


def shipment_of(document: Document) -> Shipment:
    """Return the state of a shipment from its document."""
    return Shipment(
        held=tuple(held_event_of(each, document["tracking_number"]) for each in document.get("held", [])),
        tracking_number=document["tracking_number"],
        client_id=document["client_id"],
        status=Status(document["current_status"]),
        version=document["version"],
        applied=tuple(entry["event_id"] for entry in document["status_history"]),
        has_dimensions="dimensions" in document["package"],
        checkpoints=document.get("checkpoint_count", 0),
    )


def record_of(document: Document) -> EventRecord:
    """Return the record of an event from its document; the reason of a dead one is free text."""
    return EventRecord(
        event_id=document["event_id"],
        outcome=Outcome(document["outcome"]),
        reason=RejectionReason(document["reason"]) if document["outcome"] == Outcome.REJECTED else None,
        fingerprint=document["fingerprint"],
        last_offset=document["last_offset"],
        version=document["version"],
        client_id=document["client_id"],
        timestamp=document["timestamp"],
        request_key=document["request_key"],
        status=None if document["status"] is None else Status(document["status"]),
        offset=document["offset"],
        current_status=Status(document["current_status"]) if "current_status" in document else None,
        previous_status=Status(document["previous_status"]) if "previous_status" in document else None,
        held_until=document.get("held_until"),
        released=tuple(
            held_event_of(each, document["tracking_number"]) for each in document.get("released", [])
        ),
        released_by=document.get("released_by"),
        submitted_by=document["submitted_by"],
        received_at=document["received_at"],
    )
