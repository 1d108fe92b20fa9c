"""Fold of the topic's records of a shipment to the shipment and its events, by the domain's rules. Pure.

All records of a shipment are judged as one batch (`domain.processing.batch.judge`): no caches, no fences, no
filter, no redelivery. Documents are those of a shipment whose whole life is in one batch, never the update by
position of the store. The result of any batches, crashes and rebalances must be the same.

The checker of the tests (`tests/support/history.py`) shares nothing with this but `decide` and `evolve`: it
judges the very code that this module uses.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from domain.processing.batch import (
    ConsumedCommand,
    EventChange,
    EventRecord,
    Known,
    Outcome,
    ShipmentTransition,
)
from domain.processing.judging import judge
from domain.shipments.event_identity import EventId
from domain.shipments.retraction import HistoryEntry
from storage.mongo.checkpoints import kept_checkpoints
from storage.mongo.documents import Document, dead_document, event_document
from storage.mongo.held_events import HOLD
from storage.mongo.shipment_documents import shipment_document


@dataclass(frozen=True, slots=True)
class Entry:
    """Readable record of the log.

    Attributes:
        appended_at: by the broker's clock.
        dead_reason: of its dead letter, None if it has none.
        is_published: the audit log has the dead event; False if the processor could not read the record.
        settled: the record is below the fence. Above it nothing has been applied, but a dead letter may have
            been written: the fence moves last.
    """

    consumed: ConsumedCommand
    partition: int
    appended_at: datetime
    dead_reason: str | None = None
    settled: bool = True
    is_published: bool = True


@dataclass(slots=True)
class FoldedLog:
    """Shipment of the log, and its events by id.

    The log does not know when something was processed: `recorded_at` and `updated_at` are the instants at
    which the broker appended the records.

    Attributes:
        pending: ids of events that may not have been recorded yet.
    """

    shipment: Document | None = None
    events: dict[EventId, Document] = field(default_factory=dict)
    pending: set[EventId] = field(default_factory=set)


def fold_log(entries: Sequence[Entry], *, judged_at: Collection[int | None] = ()) -> FoldedLog:
    """Fold the records of one shipment, given in the order of the log.

    Args:
        entries: its records.
        judged_at: offsets of judged events in the audit log. A record may have a dead letter and be applied
            all the same: if only the publication of its outcome failed, or if the process ended before the
            offset was committed, and the next one could apply it.
    """
    fold = _Fold(entries)
    batch: list[ConsumedCommand] = []
    for entry in entries:
        if entry.dead_reason is None or entry.consumed.offset in judged_at:
            if entry.settled:
                batch.append(entry.consumed)
        else:
            fold.judge(batch)
            batch = []
            if entry.is_published:
                fold.record_dead(entry)
    fold.judge(batch)
    return fold.result()


def with_holds(entries: Sequence[Entry], trail: Iterable[Document]) -> Sequence[Entry]:
    """Return entries whose early events are held for as long as the audit log says that they were.

    It says so of the record of an event that was held last. Those before it were held as long, if they came
    early, and were not judged again when they were repeated.
    """
    holds = {event["_id"]: event[HOLD] for event in trail if HOLD in event}
    if not holds:
        return entries
    return [_with_hold(entry, holds.get(entry.consumed.command.event_id)) for entry in entries]


def _with_hold(entry: Entry, hold: Document | None) -> Entry:
    if hold is None or entry.consumed.offset > hold["offset"]:
        return entry
    return replace(entry, consumed=replace(entry.consumed, hold=timedelta(seconds=hold["seconds"])))


class _Fold:
    """State of the fold: batches judged so far, with dead-lettered records in between."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = {entry.consumed.offset: entry for entry in entries}
        self._unknown: Known = {entry.consumed.command.event_id: None for entry in self._entries.values()}
        self._events: dict[EventId, EventChange] = {}
        self._dead_reasons: dict[EventId, str] = {}
        self._shipment: ShipmentTransition | None = None
        self._pending: set[EventId] = set()
        self._history = list[HistoryEntry]()

    def judge(self, batch: Sequence[ConsumedCommand]) -> None:
        """Judge a batch, given all earlier ones."""
        known: Known = {**self._unknown, **{each: change.record for each, change in self._events.items()}}
        shipment = None if self._shipment is None else self._shipment.after
        verdicts = judge(batch, shipment, known, self._history)
        self._history = verdicts.history or []
        for change in verdicts.events.values():
            self._count(change)
        if verdicts.shipment is not None:
            if self._shipment is None:
                self._shipment = verdicts.shipment
            else:
                self._shipment.after = verdicts.shipment.after
                self._shipment.applied += verdicts.shipment.applied
                self._shipment.corrections |= verdicts.shipment.corrections

    def record_dead(self, entry: Entry) -> None:
        """Record an event as dead, unless it is recorded already."""
        consumed, command = entry.consumed, entry.consumed.command
        if command.event_id in self._events:
            return
        self._dead_reasons[command.event_id] = entry.dead_reason or ""
        record = EventRecord(
            event_id=command.event_id,
            outcome=Outcome.DEAD,
            reason=None,
            fingerprint=consumed.fingerprint,
            last_offset=consumed.offset,
            version=None,
            client_id=None,
            timestamp=command.timestamp,
        )
        change = EventChange(command.event_id, True, consumed.offset, consumed, record, attempts=1)  # noqa: FBT003  # is_new
        self._events[command.event_id] = change
        if not entry.settled:
            self._pending.add(command.event_id)

    def result(self) -> FoldedLog:
        """Return the documents."""
        events = {each: self._document(change) for each, change in self._events.items()}
        return FoldedLog(self._shipment_document(), events, self._pending)

    def _count(self, change: EventChange) -> None:
        before = self._events.setdefault(change.event_id, change)
        if before is change:
            return
        before.judged = change.judged or before.judged
        before.record = change.record or before.record
        before.last_offset = max(before.last_offset, change.last_offset)
        before.attempts += change.attempts
        before.duplicates += change.duplicates
        before.conflicts += change.conflicts
        before.hold = change.hold or before.hold
        if change.hold_end is not None and before.record is not None:
            before.hold_end = change.hold_end
            before.record = replace(before.record, held_until=None)

    def _document(self, change: EventChange) -> Document:
        if change.judged is None or change.record is None:
            raise ValueError(f"{change.event_id} was counted before it was judged")
        entry = self._entries[change.judged.offset]
        if change.record.outcome is not Outcome.DEAD:
            recorded_at = self._recorded_at(change.judged)
            return event_document(change, partition=entry.partition, recorded_at=recorded_at)
        dead = dead_document(
            change.judged,
            reason=self._dead_reasons[change.event_id],
            partition=entry.partition,
            recorded_at=entry.appended_at,
        )
        return dead | {"last_offset": change.last_offset, "conflicts": change.conflicts}

    def _shipment_document(self) -> Document | None:
        if self._shipment is None:
            return None
        applied = self._shipment.applied
        times = {each.command.event_id: self._recorded_at(each) for each in applied}
        document = shipment_document(self._shipment, recorded_at=self._recorded_at(applied[-1]))
        for line in (*document["status_history"], *kept_checkpoints(document)):
            line["recorded_at"] = times[line["event_id"]]
        return document

    def _recorded_at(self, consumed: ConsumedCommand) -> datetime:
        """Return when the record was appended that decided on a command: its own, or its releaser's."""
        record = self._events[consumed.command.event_id].record
        if record is not None and record.released_by is not None:
            consumed = self._events[record.released_by].judged or consumed
        return self._entries[consumed.offset].appended_at
