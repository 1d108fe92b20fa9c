"""Entries in the verdicts on a shipment's commands: what is judged, counted and kept on the events."""

from dataclasses import replace

from domain.processing.batch import (
    ConsumedCommand,
    EventChange,
    EventRecord,
    Kind,
    Known,
    OtherPayload,
    Outcome,
    ShipmentTransition,
    Verdict,
    Verdicts,
    conflict_reason,
)
from domain.processing.previous_status import status_to_record
from domain.shipments.commands import Command, CreateShipment, ReportStatus
from domain.shipments.event_identity import EventId
from domain.shipments.rejection import RejectionReason
from domain.shipments.shipment import Shipment
from domain.shipments.status import Status


def record_of(verdicts: Verdicts, event_id: EventId, known: Known) -> EventRecord | None:
    """Return the record of an event as this batch has left it so far, None if there is none."""
    change = verdicts.events.get(event_id)
    return change.record if change and change.record else known.get(event_id)


def change_of(verdicts: Verdicts, consumed: ConsumedCommand, *, is_new: bool) -> EventChange:
    """Return the change of a consumed command's event, which counts its offset."""
    event_id = consumed.command.event_id
    change = verdicts.events.get(event_id)
    if change is None:
        change = verdicts.events[event_id] = EventChange(event_id, is_new, consumed.offset)
    change.last_offset = consumed.offset
    return change


def count(verdicts: Verdicts, consumed: ConsumedCommand, kind: Kind, record: EventRecord | None) -> None:
    """Count a duplicate or a conflict on its event."""
    change = change_of(verdicts, consumed, is_new=False)
    if kind is Kind.CONFLICT and record is not None:
        change.conflicts += 1
        reason = conflict_reason(consumed.command, record)
        change.others.append(OtherPayload(consumed, reason))
    else:
        change.duplicates += 1
    verdicts.verdicts.append(Verdict(consumed, kind, record))


def record_verdict(
    verdicts: Verdicts,
    consumed: ConsumedCommand,
    shipment: Shipment | None,
    reason: RejectionReason | None,
    known: Known,
    before: Shipment | None = None,
) -> EventChange:
    """Record the verdict on a command, and return the change of its event.

    Args:
        verdicts: to add to.
        consumed: the judged command.
        shipment: as the command left it.
        reason: why it was rejected, None if it is applied.
        known: looked-up events.
        before: the shipment before an applied command.
    """
    command = consumed.command
    stored = known.get(command.event_id)
    change = change_of(verdicts, consumed, is_new=stored is None)
    _retain_replaced(change, consumed, stored)
    change.judged = consumed
    change.attempts += 1
    change.record = _record_of(consumed, shipment, reason, before)
    verdicts.verdicts.append(Verdict(consumed, Kind.JUDGED, change.record))
    return change


def _record_of(
    consumed: ConsumedCommand,
    shipment: Shipment | None,
    reason: RejectionReason | None,
    before: Shipment | None,
) -> EventRecord:
    command = consumed.command
    visible = None if reason is RejectionReason.FORBIDDEN else shipment
    return EventRecord(
        event_id=command.event_id,
        outcome=Outcome.APPLIED if reason is None else Outcome.REJECTED,
        reason=reason,
        fingerprint=consumed.fingerprint,
        last_offset=consumed.offset,
        version=shipment.version if shipment is not None and reason is None else None,
        client_id=visible.client_id if visible is not None else None,
        timestamp=command.timestamp,
        request_key=command.request_key if isinstance(command, CreateShipment) else None,
        status=_status_of(command, visible),
        offset=consumed.offset,
        submitted_by=command.submitted_by,
        received_at=command.received_at,
        current_status=_forbidding(shipment) if reason is RejectionReason.INVALID_TRANSITION else None,
        previous_status=None if before is None else status_to_record(command, before.status),
    )


def retract(verdicts: Verdicts, event_id: EventId, record: EventRecord) -> None:
    """Record an applied event as retracted; the shipment's version that it made stays with it."""
    change = verdicts.events.get(event_id)
    if change is None:
        change = EventChange(event_id, is_new=False, last_offset=record.last_offset, by_another=True)
        verdicts.events[event_id] = change
    change.record = replace(record, outcome=Outcome.REJECTED, reason=RejectionReason.RETRACTED)
    change.is_retracted = True


def note_shipment(
    verdicts: Verdicts, before: Shipment | None, after: Shipment, applied: ConsumedCommand | None = None
) -> ShipmentTransition:
    """Note the state of the shipment after a command, and the command if it was applied."""
    if verdicts.shipment is None:
        verdicts.shipment = ShipmentTransition(before, after)
    verdicts.shipment.after = after
    if applied is not None:
        verdicts.shipment.applied.append(applied)
    return verdicts.shipment


def _retain_replaced(change: EventChange, consumed: ConsumedCommand, stored: EventRecord | None) -> None:
    """Keep the payload that `consumed` replaces: it was accepted, and must not vanish."""
    if change.judged is not None and change.record is not None:
        if change.judged.fingerprint != consumed.fingerprint:
            change.others.append(OtherPayload(change.judged, change.record.reason))
    elif stored is not None:
        change.supersedes = stored.fingerprint != consumed.fingerprint


def _forbidding(shipment: Shipment | None) -> Status | None:
    return None if shipment is None else shipment.status


def _status_of(command: Command, shipment: Shipment | None) -> Status | None:
    if isinstance(command, ReportStatus):
        return command.status
    if isinstance(command, CreateShipment):
        return Status.CREATED
    return None if shipment is None else shipment.status
