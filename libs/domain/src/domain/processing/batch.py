"""Judgement of one batch of a partition: exactly once, in the order of the offsets (ADR 0002).

`judge` decides the commands of one shipment. It is pure: everything it knows is passed in. Where it needs to
know more (has this rejected event been seen before? what did the first one with this id say?), it names the
event ids to look up in `Verdicts.unknown`; look them up and judge again: the second verdicts are final.

The four kinds of a consumed command, in the order of the checks:

1. *replayed*: the record itself has been counted before (its offset is not above the highest one counted for
   this event, and below the partition's next one). Nothing is decided or counted; later steps are repeated.
2. *duplicate*: the same event, in another record. Counted on the event.
3. *conflict*: an applied event's id with another payload. Counted and kept on the event; the first counts.
4. *judged*: a new event, or one that was rejected or dead and is sent again, with any payload: where nothing
   was applied, `decide` judges it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.errors import PoisonRecord
from domain.shipments.commands import Command, CreateShipment, ReportStatus
from domain.shipments.event_identity import EventId
from domain.shipments.rejection import RejectionReason
from domain.shipments.shipment import Event, Rejected, Repeated, Shipment, decide, evolve
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from domain.values import value


class Outcome(StrEnum):
    """The outcome of an accepted event."""

    APPLIED = "applied"
    REJECTED = "rejected"
    DEAD = "dead"


@value(kw_only=True)
class EventRecord:
    """The stored record of an event.

    Attributes:
        last_offset: the highest offset of a record counted for this event.
        version: the shipment's version after it was applied; None if it was not.
        client_id: whose shipment it is; None where there was no shipment, or another client's than the one
            who asked, who must not learn whose.
        timestamp: when it happened.
        status: the one it reports; of an amendment, the shipment's, None if there was no shipment.
        offset: of the consumed command whose verdict this is.
        current_status: the shipment's, where it is why the event was rejected; None otherwise.
    """

    event_id: EventId
    outcome: Outcome
    reason: RejectionReason | None
    fingerprint: str
    last_offset: int
    version: int | None
    client_id: str | None
    timestamp: datetime
    request_key: str | None = None
    status: Status | None = None
    offset: int | None = None
    current_status: Status | None = None


LARGE_BATCH: Final = 100
"""Records from which a batch takes a slot and a transaction of its own; smaller ones share one."""


@value(kw_only=True)
class ConsumedCommand:
    """One record of the log: a command and its position.

    Attributes:
        redelivered: the offset is below the partition's next one: the record may have been counted before.
        known_duplicate: the duplicate filter has seen this very event applied.
    """

    command: Command
    offset: int
    fingerprint: str
    reply_to: str | None = None
    traceparent: str | None = None
    redelivered: bool = False
    known_duplicate: bool = False


class Kind(StrEnum):
    """The kind of a verdict on one consumed command."""

    JUDGED = "judged"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REPLAYED = "replayed"


@value()
class Verdict:
    """The verdict on one consumed command; `event` is None where only the duplicate filter knew it."""

    consumed: ConsumedCommand
    kind: Kind
    event: EventRecord | None

    @property
    def is_conflict(self) -> bool:
        """True if the payload differs from that of the recorded event."""
        return self.event is not None and self.event.fingerprint != self.consumed.fingerprint

    @property
    def is_published(self) -> bool:
        """True if the change is published: when the event is applied, and when its batch is repeated.

        A repeated duplicate is not: its local time may be another one, and one event has one message.
        """
        if self.event is None or self.event.outcome is not Outcome.APPLIED or self.is_conflict:
            return False
        if self.kind is Kind.REPLAYED:
            return self.event.offset == self.consumed.offset
        return self.kind is Kind.JUDGED


@value()
class OtherPayload:
    """A payload that was sent under an event's id and is not its recorded one, and why.

    Attributes:
        reason: `conflict_reason` where another payload is applied; otherwise why it was rejected, or for a
            dead one the error, None where that is not known.
    """

    consumed: ConsumedCommand
    reason: RejectionReason | str | None


@dataclass(slots=True)
class EventChange:
    """The change of one event's record by a batch.

    Attributes:
        judged: the consumed command whose verdict `record` holds; None if the batch only counts.
        is_new: the store is believed to hold no record of this event.
        attempts: how often it was judged.
        others: payloads of this batch that are not recorded, in the order of the log.
        supersedes: the store holds a record of another payload, which was not applied and is replaced.
    """

    event_id: EventId
    is_new: bool
    last_offset: int
    judged: ConsumedCommand | None = None
    record: EventRecord | None = None
    attempts: int = 0
    duplicates: int = 0
    conflicts: int = 0
    others: list[OtherPayload] = field(default_factory=list)
    supersedes: bool = False


@dataclass(slots=True)
class ShipmentTransition:
    """The change of one shipment by a batch: its state before and after, and the applied commands."""

    before: Shipment | None
    after: Shipment
    applied: list[ConsumedCommand] = field(default_factory=list)


@dataclass(slots=True)
class Verdicts:
    """The verdicts on the commands of one shipment; of no use while `unknown` is not empty."""

    verdicts: list[Verdict] = field(default_factory=list)
    events: dict[EventId, EventChange] = field(default_factory=dict)
    shipment: ShipmentTransition | None = None
    unknown: list[EventId] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """The writes of one transaction, and the verdicts to publish afterwards.

    Attributes:
        next_offset: the new position of the fence; never below the current one, or redelivered records
            would be taken for new ones.
    """

    next_offset: int
    verdicts: list[Verdict] = field(default_factory=list)
    events: list[EventChange] = field(default_factory=list)
    shipments: dict[TrackingNumber, ShipmentTransition] = field(default_factory=dict)

    def add(self, tracking_number: TrackingNumber, verdicts: Verdicts) -> None:
        """Add the verdicts of one shipment."""
        self.verdicts += verdicts.verdicts
        self.events += verdicts.events.values()
        if verdicts.shipment is not None:
            self.shipments[tracking_number] = verdicts.shipment


Known = Mapping[EventId, EventRecord | None]
"""Looked-up events: a record, or None where the store has none; ids that are missing were not looked up."""


def by_shipment(commands: Iterable[ConsumedCommand]) -> dict[TrackingNumber, list[ConsumedCommand]]:
    """Group consumed commands by shipment, each group in the order of the log."""
    groups: dict[TrackingNumber, list[ConsumedCommand]] = {}
    for consumed in commands:
        groups.setdefault(consumed.command.tracking_number, []).append(consumed)
    return groups


def judge(commands: Sequence[ConsumedCommand], shipment: Shipment | None, known: Known) -> Verdicts:
    """Judge the consumed commands of one shipment, given in the order of their offsets."""
    verdicts = Verdicts()
    current = shipment
    for consumed in commands:
        current = _judge_one(verdicts, consumed, current, known)
    if verdicts.unknown:
        # One look-up may change the verdicts on the others: look all up now, and once only.
        verdicts.unknown = list({each.command.event_id for each in commands} - known.keys())
    return verdicts


def _judge_one(
    verdicts: Verdicts, consumed: ConsumedCommand, current: Shipment | None, known: Known
) -> Shipment | None:
    event_id = consumed.command.event_id
    change = verdicts.events.get(event_id)
    record = change.record if change and change.record else known.get(event_id)
    kind = _recognise(consumed, record)
    if kind is Kind.REPLAYED:
        verdicts.verdicts.append(Verdict(consumed, kind, record))
        return current
    if kind is not Kind.JUDGED:
        _count(verdicts, consumed, kind, record)
        return current
    decision = decide(current, consumed.command)
    if change is not None and record is None and event_id not in known:
        # The duplicate filter alone knows it as applied: taken for a new one, it would be applied again.
        verdicts.unknown.append(event_id)
        return current
    if not isinstance(decision, Rejected | Repeated):
        return _apply(verdicts, consumed, current, decision, known)
    if record is None and event_id not in known:
        verdicts.unknown.append(event_id)
    elif isinstance(decision, Rejected):
        _record(verdicts, consumed, current, decision.reason, known)
    else:
        raise PoisonRecord(f"{event_id} is in the history of its shipment, but has no record")
    return current


def _recognise(consumed: ConsumedCommand, record: EventRecord | None) -> Kind:
    if record is None:
        return Kind.DUPLICATE if consumed.known_duplicate else Kind.JUDGED
    if consumed.redelivered and consumed.offset <= record.last_offset:
        return Kind.REPLAYED
    if record.outcome is not Outcome.APPLIED:
        return Kind.JUDGED
    return Kind.DUPLICATE if record.fingerprint == consumed.fingerprint else Kind.CONFLICT


def _apply(
    verdicts: Verdicts, consumed: ConsumedCommand, current: Shipment | None, event: Event, known: Known
) -> Shipment:
    evolved = evolve(current, event)
    _record(verdicts, consumed, evolved, None, known)
    if verdicts.shipment is None:
        verdicts.shipment = ShipmentTransition(current, evolved)
    verdicts.shipment.after = evolved
    verdicts.shipment.applied.append(consumed)
    return evolved


def conflict_reason(command: Command, standing: EventRecord) -> RejectionReason:
    """Return why a payload conflicts with the one that is applied under its id.

    Returns:
        TRACKING_NUMBER_TAKEN for a creation by another request: only its number is the same.
        IDEMPOTENCY_CONFLICT otherwise.
    """
    if not isinstance(command, CreateShipment):
        return RejectionReason.IDEMPOTENCY_CONFLICT
    same_request = command.request_key is not None and command.request_key == standing.request_key
    return RejectionReason.IDEMPOTENCY_CONFLICT if same_request else RejectionReason.TRACKING_NUMBER_TAKEN


def _change(verdicts: Verdicts, consumed: ConsumedCommand, *, is_new: bool) -> EventChange:
    event_id = consumed.command.event_id
    change = verdicts.events.get(event_id)
    if change is None:
        change = verdicts.events[event_id] = EventChange(event_id, is_new, consumed.offset)
    change.last_offset = consumed.offset
    return change


def _count(verdicts: Verdicts, consumed: ConsumedCommand, kind: Kind, record: EventRecord | None) -> None:
    change = _change(verdicts, consumed, is_new=False)
    if kind is Kind.CONFLICT and record is not None:
        change.conflicts += 1
        reason = conflict_reason(consumed.command, record)
        change.others.append(OtherPayload(consumed, reason))
    else:
        change.duplicates += 1
    verdicts.verdicts.append(Verdict(consumed, kind, record))


def _record(
    verdicts: Verdicts,
    consumed: ConsumedCommand,
    shipment: Shipment | None,
    reason: RejectionReason | None,
    known: Known,
) -> None:
    command = consumed.command
    visible = None if reason is RejectionReason.FORBIDDEN else shipment
    stored = known.get(command.event_id)
    change = _change(verdicts, consumed, is_new=stored is None)
    _retain_replaced(change, consumed, stored)
    change.judged = consumed
    change.attempts += 1
    change.record = EventRecord(
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
        current_status=shipment.status
        if shipment is not None and reason is RejectionReason.INVALID_TRANSITION
        else None,
    )
    verdicts.verdicts.append(Verdict(consumed, Kind.JUDGED, change.record))


def _retain_replaced(change: EventChange, consumed: ConsumedCommand, stored: EventRecord | None) -> None:
    """Keep the payload that `consumed` replaces: it was accepted, and must not vanish."""
    if change.judged is not None and change.record is not None:
        if change.judged.fingerprint != consumed.fingerprint:
            change.others.append(OtherPayload(change.judged, change.record.reason))
    elif stored is not None:
        change.supersedes = stored.fingerprint != consumed.fingerprint


def _status_of(command: Command, shipment: Shipment | None) -> Status | None:
    if isinstance(command, ReportStatus):
        return command.status
    if isinstance(command, CreateShipment):
        return Status.CREATED
    return None if shipment is None else shipment.status
