"""A batch of a partition: its consumed commands, the verdicts on them, and the writes that they lead to.

`domain.processing.judging` makes the verdicts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.shipments.commands import Command, CreateShipment
from domain.shipments.event_identity import EventId
from domain.shipments.rejection import RejectionReason
from domain.shipments.retraction import HistoryEntry
from domain.shipments.shipment import HeldEvent, Shipment
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
        previous_status: the shipment's before it was applied, where the status after it does not determine
            that; see `domain.processing.previous_status`.
        held_until: of a held event, until when it may be released.
        released: the held events that were applied right after this one, in their order.
        released_by: the event that released this one, None if it was applied by itself.
        submitted_by: the user who sent it.
        received_at: when it was accepted.
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
    previous_status: Status | None = None
    held_until: datetime | None = None
    released: tuple[HeldEvent, ...] = ()
    released_by: EventId | None = None
    submitted_by: str | None = None
    received_at: datetime | None = None

    @property
    def has_been_applied(self) -> bool:
        """True if it is applied, or was before it was retracted."""
        return self.outcome is Outcome.APPLIED or self.reason is RejectionReason.RETRACTED


LARGE_BATCH: Final = 100
"""Records from which a batch takes a slot and a transaction of its own; smaller ones share one."""


@value(kw_only=True)
class ConsumedCommand:
    """One record of the log: a command and its position.

    Attributes:
        redelivered: the offset is below the partition's next one: the record may have been counted before.
        known_duplicate: the duplicate filter has seen this very event applied.
        hold: how long it is held if it comes early, None for not at all.
    """

    command: Command
    offset: int
    fingerprint: str
    reply_to: str | None = None
    traceparent: str | None = None
    redelivered: bool = False
    known_duplicate: bool = False
    hold: timedelta | None = None


class Kind(StrEnum):
    """The kind of a verdict on one consumed command."""

    JUDGED = "judged"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REPLAYED = "replayed"
    RELEASED = "released"


@value()
class Verdict:
    """The verdict on one consumed command; `event` is None where only the duplicate filter knew it.

    A held event that is released has a verdict of its own, after that of its releaser.
    """

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
        if self.event is None or not self.event.has_been_applied or self.is_conflict:
            return False
        if self.kind is Kind.REPLAYED:
            # A released event is published after its releaser, whose replay repeats that.
            return self.event.offset == self.consumed.offset and self.event.released_by is None
        return self.kind in (Kind.JUDGED, Kind.RELEASED)


@value()
class OtherPayload:
    """A payload that was sent under an event's id and is not its recorded one, and why.

    Attributes:
        reason: `conflict_reason` where another payload is applied; otherwise why it was rejected, or for a
            dead one the error, None where that is not known.
    """

    consumed: ConsumedCommand
    reason: RejectionReason | str | None


class HoldEnd(StrEnum):
    """Reason for which an event is not held any more."""

    RELEASED = "released"
    EXPIRED = "expired"
    UNREACHABLE = "unreachable"
    REPLACED = "replaced"


@value()
class Hold:
    """The hold of an early event: the record that is held, and for how long."""

    offset: int
    length: timedelta


@dataclass(slots=True)
class EventChange:
    """The change of one event's record by a batch.

    Attributes:
        judged: the consumed command whose verdict `record` holds; None if the batch only counts.
        is_new: the store is believed to hold no record of this event.
        attempts: how often it was judged.
        others: payloads of this batch that are not recorded, in the order of the log.
        supersedes: the store holds a record of another payload, which was not applied and is replaced.
        hold: None unless this batch began to hold the event.
        hold_end: why this batch ended that, None if it did not.
        is_retracted: a retraction in this batch took it back.
        by_another: another event released, ended or retracted it. The store may have counted records that
            this batch does not know: the highest offset counts, and the record may be gone.
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
    hold: Hold | None = None
    hold_end: HoldEnd | None = None
    is_retracted: bool = False
    by_another: bool = False


@value()
class Correction:
    """Effect of a retraction: the status that holds again, and whether a checkpoint was taken back."""

    status: Status
    of_checkpoint: bool


@dataclass(slots=True)
class ShipmentTransition:
    """The change of one shipment by a batch: its state before and after, and the applied commands.

    None are applied where only its held events change. `corrections` are those of the applied retractions.
    """

    before: Shipment | None
    after: Shipment
    applied: list[ConsumedCommand] = field(default_factory=list)
    corrections: dict[EventId, Correction] = field(default_factory=dict)

    @property
    def changes_nothing(self) -> bool:
        """Whether the batch leaves the shipment as it was: what it has held, it has also ended."""
        return not self.applied and self.after == self.before


@dataclass(slots=True)
class Verdicts:
    """The verdicts on the commands of one shipment; of no use while `unknown` is not empty.

    Attributes:
        history: of the shipment after them, if it was given.
    """

    verdicts: list[Verdict] = field(default_factory=list)
    events: dict[EventId, EventChange] = field(default_factory=dict)
    shipment: ShipmentTransition | None = None
    unknown: list[EventId] = field(default_factory=list)
    history: list[HistoryEntry] | None = None


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
        """Add the verdicts of one shipment; it is written only if it changes."""
        self.verdicts += verdicts.verdicts
        self.events += verdicts.events.values()
        if verdicts.shipment is not None and not verdicts.shipment.changes_nothing:
            self.shipments[tracking_number] = verdicts.shipment


Known = Mapping[EventId, EventRecord | None]
"""Looked-up events: a record, or None where the store has none; ids that are missing were not looked up."""


def by_shipment(commands: Iterable[ConsumedCommand]) -> dict[TrackingNumber, list[ConsumedCommand]]:
    """Group consumed commands by shipment, each group in the order of the log."""
    groups: dict[TrackingNumber, list[ConsumedCommand]] = {}
    for consumed in commands:
        groups.setdefault(consumed.command.tracking_number, []).append(consumed)
    return groups


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
