"""Conversion between shipments and their documents."""

from collections.abc import Iterable
from datetime import datetime

from domain.processing.batch import ConsumedCommand, ShipmentTransition
from domain.shipments.amendment import amended, has_dimensions
from domain.shipments.commands import (
    DESCRIBED,
    AmendShipment,
    CreateShipment,
    ReportCheckpoint,
    ReportStatus,
    RetractEvent,
    put_given,
)
from domain.shipments.retraction import HistoryEntry
from domain.shipments.shipment import Shipment
from domain.shipments.status import Status
from storage.mongo.amendments import amended_members, amendments_in
from storage.mongo.checkpoints import COUNT, RING, RingChange, merged_history
from storage.mongo.documents import Document, history_fields
from storage.mongo.held_events import HELD, held_document, held_event_of

SHIPMENT_FIELDS = {
    "client_id": 1,
    "current_status": 1,
    "version": 1,
    "status_history.event_id": 1,
    "package.dimensions.length": 1,
    HELD: 1,
    COUNT: 1,
}


def shipment_of(document: Document) -> Shipment:
    """Return the shipment that decisions need, from the fields `SHIPMENT_FIELDS`."""
    return Shipment(
        document["_id"],
        document["client_id"],
        Status(document["current_status"]),
        document["version"],
        tuple(entry["event_id"] for entry in document["status_history"]),
        has_dimensions(document["package"]),
        tuple(held_event_of(each, document["_id"]) for each in document.get(HELD, ())),
        document.get(COUNT, 0),
    )


HISTORY_PROJECTION = {
    "current_status": 1,
    **{f"{name}.{part}": 1 for name in ("status_history", RING) for part in ("event_id", "status")},
    COUNT: 1,
}


def history_of(document: Document, lost: Iterable[Document] = ()) -> list[HistoryEntry]:
    """Return the standing entries of a history.

    Args:
        document: the fields `HISTORY_PROJECTION` of a shipment.
        lost: entries of checkpoints that its ring has lost, oldest first.
    """
    merged = merged_history(document, lost)
    return [HistoryEntry(each["event_id"], Status(each["status"])) for each in merged]


def shipment_document(change: ShipmentTransition, *, recorded_at: datetime) -> Document:
    """Return the document of a new shipment, with everything that its batch applied to it."""
    creation = change.applied[0].command
    held = [held_document(each) for each in change.after.held]
    if not isinstance(creation, CreateShipment):
        raise TypeError(f"{creation.event_id} is applied first, but creates nothing")
    description: Document = {}
    put_given(description, creation, DESCRIBED)
    statuses, ring = _history(change, recorded_at)
    document = {
        "_id": change.after.tracking_number,
        "client_id": change.after.client_id,
        **amended(description, amendments_in(change.applied)),
        "current_status": str(change.after.status),
        "status_history": statuses,
        "version": change.after.version,
        "created_at": creation.timestamp,
        "updated_at": recorded_at,
        **({HELD: held} if held else {}),
    }
    ring.put_into(document)
    return document


def history_cut(change: ShipmentTransition) -> Document | None:
    """Return the update that cuts retracted statuses off a history, to be made first; None without any."""
    if change.before is None or len(change.before.applied) <= len(change.after.applied):
        return None
    return {"$push": {"status_history": {"$each": [], "$slice": len(change.after.applied)}}}


def shipment_update(change: ShipmentTransition, *, recorded_at: datetime) -> Document:
    """Return the update to the new state of a shipment."""
    fields = _changed_fields(change, recorded_at) if change.applied else {}
    gone: list[str] = []
    if change.before is not None and change.before.checkpoints and not change.after.checkpoints:
        gone += [RING, COUNT]
    if change.after.held != (() if change.before is None else change.before.held):
        if change.after.held:
            fields[HELD] = [held_document(each) for each in change.after.held]
        else:
            gone.append(HELD)
    update: Document = {"$set": fields} if fields else {}
    return update | {"$unset": dict.fromkeys(gone, "")} if gone else update


def _changed_fields(change: ShipmentTransition, recorded_at: datetime) -> Document:
    """Return the fields that applied commands set.

    History is written by position: unlike `$push` that is idempotent, and it is cheaper.
    """
    statuses, ring = _history(change, recorded_at)
    first = len(change.after.applied) - len(statuses)
    fields: Document = {f"status_history.{first + index}": entry for index, entry in enumerate(statuses)}
    ring.put_into(fields)
    fields |= amended_members(amendments_in(change.applied))
    fields["current_status"] = str(change.after.status)
    fields["version"] = change.after.version
    fields["updated_at"] = recorded_at
    return fields


def _history(change: ShipmentTransition, recorded_at: datetime) -> tuple[list[Document], RingChange]:
    """Return the entries of applied statuses that still stand, and the change of the checkpoints' ring."""
    statuses: list[Document] = []
    ring = RingChange(0 if change.before is None else change.before.checkpoints)
    status = Status.CREATED if change.before is None else change.before.status
    for consumed in change.applied:
        command = consumed.command
        if isinstance(command, ReportCheckpoint):
            ring.add(history_entry(consumed, recorded_at) | {"status": str(status)})
        elif isinstance(command, RetractEvent):
            correction = change.corrections[command.event_id]
            status = correction.status
            if correction.of_checkpoint:
                ring.remove_last()
            else:
                statuses[-1:] = []  # one from before the batch is cut off
        elif not isinstance(command, AmendShipment):
            statuses.append(history_entry(consumed, recorded_at))
            status = command.status if isinstance(command, ReportStatus) else status
    return statuses, ring


def history_entry(consumed: ConsumedCommand, recorded_at: datetime) -> Document:
    """Return the entry of an applied event in its shipment's history; of a checkpoint, without the status.

    Its members have one order, also where the history is rebuilt: equal ones are equal bytes (ADR 0011).
    """
    command = consumed.command
    return {"event_id": command.event_id, **history_fields(command), "recorded_at": recorded_at}
