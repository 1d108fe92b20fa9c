"""Fold of a shipment's events in the audit log to the shipment. Pure; applies no rules."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.processing.batch import Outcome
from domain.shipments.amendment import amended
from domain.shipments.commands import DESCRIBED
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from storage.mongo.checkpoints import CHECKPOINT, RingChange
from storage.mongo.documents import HISTORY_FIELDS, RETRACTION, Document
from storage.mongo.held_events import HELD, HELD_UNTIL, held_document_of

_ALWAYS_DESCRIBED = ("origin", "destination", "package")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Rebuilt shipment, None if there is none, and the faults that make it incomplete."""

    shipment: Document | None
    faults: tuple[str, ...] = ()


def rebuilt(number: str, trail: Sequence[Document]) -> Rebuilt:
    """Fold the applied events of a shipment, given in any order, by their `version`."""
    applied = [event for event in trail if _has_been_applied(event)]
    if not applied:
        return Rebuilt(None)
    applied.sort(key=lambda event: event["version"] or 0)
    if applied[0].get("status") != Status.CREATED:
        return Rebuilt(None, ("status_events has no creation",))
    if any(part not in applied[0] for part in _ALWAYS_DESCRIBED):
        return Rebuilt(None, ("status_events does not say what was created",))
    shipment = _shipment(number, applied)
    held = [event for event in trail if event.get(HELD_UNTIL) is not None]
    if held:
        shipment[HELD] = [held_document_of(each) for each in sorted(held, key=lambda each: each["offset"])]
    return Rebuilt(shipment, tuple(_gaps(applied)))


def _gaps(applied: Sequence[Document]) -> Iterator[str]:
    """Yield a fault for gaps in the versions: each change raises the version by one."""
    versions = [event["version"] for event in applied]
    if versions != list(range(1, len(versions) + 1)):
        yield f"status_events has the versions {versions}, should have 1 to {max(versions, default=0)}"


def _has_been_applied(event: Document) -> bool:
    return event.get("outcome") == Outcome.APPLIED or event.get("reason") == RejectionReason.RETRACTED


def _shipment(number: str, applied: Sequence[Document]) -> Document:
    creation = applied[0]
    history, ring = _history(applied)
    description = {name: creation[name] for name in DESCRIBED if name in creation}
    for event in applied:
        description = amended(description, event.get("changes", {}))
    shipment = {
        "_id": number,
        "client_id": creation["client_id"],
        **description,
        "current_status": history[-1]["status"],
        "status_history": history,
        "version": applied[-1]["version"],
        "created_at": creation["timestamp"],
        "updated_at": applied[-1]["recorded_at"],
    }
    ring.put_into(shipment)
    return shipment


def _history(applied: Iterable[Document]) -> tuple[list[Document], RingChange]:
    """Return the statuses that stand, and the ring of the checkpoints."""
    history: list[Document] = []
    ring = RingChange()
    checkpoints: set[str] = set()
    for event in applied:
        if "changes" in event:
            continue
        if RETRACTION in event:
            if event[RETRACTION]["event_id"] in checkpoints:
                ring.remove_last()
            else:
                history.pop()
        elif CHECKPOINT in event:
            ring.add(_history_entry(event))
            checkpoints.add(event["_id"])
        else:
            history.append(_history_entry(event))
    return history, ring


def _history_entry(event: Document) -> Document:
    fields = {name: event[name] for name in HISTORY_FIELDS if name in event}
    return {"event_id": event["_id"], **fields, "recorded_at": event.get("recorded_at")}
