"""Early events in the verdicts on a shipment's commands: held, released, ended (ADR 0024)."""

from dataclasses import replace

from domain.processing.batch import (
    ConsumedCommand,
    EventChange,
    EventRecord,
    Hold,
    HoldEnd,
    Kind,
    Known,
    Outcome,
    Verdict,
    Verdicts,
)
from domain.processing.previous_status import status_to_record
from domain.processing.recording import change_of, note_shipment, record_of
from domain.shipments.early import (
    has_expired,
    has_room,
    held_under,
    is_early,
    is_unreachable,
    next_legal,
    with_held,
    without_held,
)
from domain.shipments.event_identity import EventId
from domain.shipments.rejection import RejectionReason
from domain.shipments.retraction import HistoryEntry
from domain.shipments.shipment import HeldEvent, Shipment, StatusChanged, evolve
from domain.shipments.status import Status


def is_held_again(verdicts: Verdicts, consumed: ConsumedCommand, shipment: Shipment, known: Known) -> bool:
    """Count a rejected command on its event if that is held already; say whether it was.

    It takes no second place, and its hold is not prolonged: the record stays as it is, but for its counters.
    """
    command = consumed.command
    held = held_under(shipment, command.event_id)
    if held is None or held.fingerprint != consumed.fingerprint or has_expired(held, command.received_at):
        return False
    record = record_of(verdicts, command.event_id, known)
    if record is None:
        return False
    change = change_of(verdicts, consumed, is_new=False)
    change.attempts += 1
    told = replace(record, current_status=shipment.status)  # the one that it asks about
    verdicts.verdicts.append(Verdict(consumed, Kind.JUDGED, told))
    return True


def hold_if_early(
    verdicts: Verdicts,
    change: EventChange,
    consumed: ConsumedCommand,
    shipment: Shipment,
    reason: RejectionReason,
) -> Shipment:
    """Hold a rejected command if it is early and there is room; return the shipment.

    Expired events make room first. Another payload of a held event takes its place, or ends its hold.

    Args:
        verdicts: to add to; the last one is on `consumed`.
        change: of the command's event.
        consumed: the command.
        shipment: that rejected it.
        reason: why.
    """
    command = consumed.command
    after = _without_expired(verdicts, consumed, shipment)
    if held_under(after, command.event_id) is not None:
        change.hold_end = HoldEnd.REPLACED
        after = without_held(after, [command.event_id])
    forbidden = reason is RejectionReason.INVALID_TRANSITION
    if consumed.hold is not None and forbidden and is_early(command, after) and has_room(after):
        held_until = command.received_at + consumed.hold
        held = HeldEvent(
            command=command,
            fingerprint=consumed.fingerprint,
            offset=consumed.offset,
            held_until=held_until,
        )
        after = with_held(after, held)
        change.hold, change.hold_end = Hold(consumed.offset, consumed.hold), None
        if change.record is not None:
            change.record = replace(change.record, held_until=held_until)
            verdicts.verdicts[-1] = Verdict(consumed, Kind.JUDGED, change.record)
    if after is not shipment:
        note_shipment(verdicts, shipment, after)
    return after


def release_legal(
    verdicts: Verdicts, releaser: ConsumedCommand, shipment: Shipment, known: Known
) -> Shipment:
    """Apply the held events that an applied one made legal, the first in the log first; return the shipment.

    Those that have expired, or can never become legal any more, stay rejected and are not held any longer.

    Args:
        verdicts: to add to; the last one is on `releaser`.
        releaser: the applied command, which changed the status.
        shipment: as it left it.
        known: looked-up events.
    """
    releaser_id, accepted_at = releaser.command.event_id, releaser.command.received_at
    after = shipment
    if (same := held_under(after, releaser_id)) is not None:  # with another payload, or too late
        too_late = has_expired(same, accepted_at)
        verdicts.events[releaser_id].hold_end = HoldEnd.EXPIRED if too_late else HoldEnd.REPLACED
        after = without_held(after, [releaser_id])
    released: list[HeldEvent] = []
    while (held := next_legal(after, accepted_at)) is not None:
        before = after.status
        after = without_held(after, [held.command.event_id])
        after = evolve(after, StatusChanged(held.command.event_id, held.command.status))
        record = _record_of(held, after.version, after.client_id, releaser_id, before)
        _release(verdicts, held, after, record, known)
        if verdicts.history is not None:
            verdicts.history.append(HistoryEntry(held.command.event_id, after.status))
        released.append(held)
    after = _without_expired(verdicts, releaser, after)
    for held in after.held:
        if is_unreachable(after, held):
            _end(verdicts, held, HoldEnd.UNREACHABLE)
            after = without_held(after, [held.command.event_id])
    change = verdicts.events[releaser_id]
    if released and change.record is not None:
        change.record = replace(change.record, released=tuple(released))
    note_shipment(verdicts, shipment, after)
    return after


def repeat_releases(verdicts: Verdicts, consumed: ConsumedCommand, record: EventRecord | None) -> None:
    """Add the verdicts on the events that a replayed command released: they are published again, after it."""
    if record is None or not record.released or record.offset != consumed.offset:
        return
    before = record.status
    for version, held in enumerate(record.released, (record.version or 0) + 1):
        repeated = _record_of(held, version, record.client_id, record.event_id, before)
        before = held.command.status
        verdicts.verdicts.append(Verdict(_consumed(held, redelivered=True), Kind.RELEASED, repeated))


def _release(verdicts: Verdicts, held: HeldEvent, after: Shipment, record: EventRecord, known: Known) -> None:
    change = _change_by_another(verdicts, held)
    stored = record_of(verdicts, held.command.event_id, known)
    if stored is not None:
        record = replace(record, last_offset=max(record.last_offset, stored.last_offset))
    change.last_offset = max(change.last_offset, record.last_offset)
    change.judged = consumed = _consumed(held)
    change.attempts += 1
    change.record = record
    change.hold_end = HoldEnd.RELEASED
    verdicts.verdicts.append(Verdict(consumed, Kind.RELEASED, record))
    note_shipment(verdicts, None, after, consumed)


def _without_expired(verdicts: Verdicts, consumed: ConsumedCommand, shipment: Shipment) -> Shipment:
    expired = [each for each in shipment.held if has_expired(each, consumed.command.received_at)]
    for held in expired:
        _end(verdicts, held, HoldEnd.EXPIRED)
    return without_held(shipment, [each.command.event_id for each in expired]) if expired else shipment


def _end(verdicts: Verdicts, held: HeldEvent, end: HoldEnd) -> None:
    change = _change_by_another(verdicts, held)
    change.hold_end = end
    if change.record is not None:
        change.record = replace(change.record, held_until=None)


def _change_by_another(verdicts: Verdicts, held: HeldEvent) -> EventChange:
    event_id = held.command.event_id
    change = verdicts.events.get(event_id)
    if change is None:
        change = EventChange(event_id, is_new=False, last_offset=held.offset, by_another=True)
        verdicts.events[event_id] = change
    return change


def _consumed(held: HeldEvent, *, redelivered: bool = False) -> ConsumedCommand:
    return ConsumedCommand(
        command=held.command, offset=held.offset, fingerprint=held.fingerprint, redelivered=redelivered
    )


def _record_of(
    held: HeldEvent, version: int, client_id: str | None, releaser_id: EventId, before: Status | None
) -> EventRecord:
    return EventRecord(
        event_id=held.command.event_id,
        outcome=Outcome.APPLIED,
        reason=None,
        fingerprint=held.fingerprint,
        last_offset=held.offset,
        version=version,
        client_id=client_id,
        timestamp=held.command.timestamp,
        status=held.command.status,
        offset=held.offset,
        submitted_by=held.command.submitted_by,
        received_at=held.command.received_at,
        released_by=releaser_id,
        previous_status=status_to_record(held.command, before),
    )
