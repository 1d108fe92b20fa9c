"""A shipment and its events made of the records of the topic, by the rules that the processor applies. Pure.

All records of a shipment are judged as one batch (`domain.processing.batch.judge`): no caches, no fences, no
filter, no redelivery. It is written as `storage.mongo.documents` writes one that is created and goes all its
way in one batch, never with the update by position that the store uses. Whatever batches, crashes and
rebalances have made of the log must come to the same.

The checker of the tests (`tests/support/history.py`) shares nothing with this but `decide` and `evolve`: it
judges the very code that this module uses.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.processing.batch import (
    ConsumedCommand,
    EventChange,
    EventRecord,
    Known,
    Outcome,
    ShipmentTransition,
    judge,
)
from domain.shipments.event_identity import EventId
from storage.mongo.documents import Document, dead_document, event_document, shipment_document


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of the log that can be read.

    Attributes:
        appended_at: by the broker's clock.
        death: what its dead letter says, None if it has none.
        is_published: the audit log knows of its death; not so where the processor could not read the record.
        settled: it lies below the fence. Above it nothing has been applied, but a dead letter may have been
            written: the fence moves last.
    """

    delivery: ConsumedCommand
    partition: int
    appended_at: datetime
    death: str | None = None
    settled: bool = True
    is_published: bool = True


@dataclass(slots=True)
class FoldedLog:
    """What the log tells of a shipment: itself, and its events by id.

    The log does not know when something was processed: `recorded_at` and `updated_at` are the instants at
    which the broker appended the records.

    Attributes:
        pending: of the events, those that may not have been recorded yet.
    """

    shipment: Document | None = None
    events: dict[EventId, Document] = field(default_factory=dict)
    pending: set[EventId] = field(default_factory=set)


def retold(entries: Sequence[Entry], *, judged_at: Collection[int | None] = ()) -> FoldedLog:
    """Fold the records of one shipment, given in the order of the log.

    Args:
        entries: its records.
        judged_at: offsets at which the audit log says that an event was judged. A record may have a dead
            letter and be applied all the same: when it broke only what is told afterwards, or when the
            process ended before the offset was committed, and the next one could apply it.
    """
    story = _Story(entries)
    batch: list[ConsumedCommand] = []
    for entry in entries:
        if entry.death is None or entry.delivery.offset in judged_at:
            if entry.settled:
                batch.append(entry.delivery)
        else:
            story.judge(batch)
            batch = []
            if entry.is_published:
                story.bury(entry)
    story.judge(batch)
    return story.told()


class _Story:
    """What has become of the records so far: one batch after the other, and a burial in between."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = {entry.delivery.offset: entry for entry in entries}
        self._unknown: Known = {entry.delivery.command.event_id: None for entry in self._entries.values()}
        self._events: dict[EventId, EventChange] = {}
        self._deaths: dict[EventId, str] = {}
        self._shipment: ShipmentTransition | None = None
        self._pending: set[EventId] = set()

    def judge(self, batch: Sequence[ConsumedCommand]) -> None:
        """Judge records, knowing all that came before."""
        known: Known = {**self._unknown, **{each: change.record for each, change in self._events.items()}}
        verdicts = judge(batch, None if self._shipment is None else self._shipment.after, known)
        for change in verdicts.events.values():
            self._count(change)
        if verdicts.shipment is not None:
            if self._shipment is None:
                self._shipment = verdicts.shipment
            else:
                self._shipment.after = verdicts.shipment.after
                self._shipment.applied += verdicts.shipment.applied

    def bury(self, entry: Entry) -> None:
        """Record an event as dead, unless it has a record already."""
        delivery, command = entry.delivery, entry.delivery.command
        if command.event_id in self._events:
            return
        self._deaths[command.event_id] = entry.death or ""
        record = EventRecord(
            event_id=command.event_id,
            outcome=Outcome.DEAD,
            reason=None,
            fingerprint=delivery.fingerprint,
            last_offset=delivery.offset,
            version=None,
            client_id=None,
            timestamp=command.timestamp,
        )
        change = EventChange(command.event_id, True, delivery.offset, delivery, record, attempts=1)  # noqa: FBT003  # is_new
        self._events[command.event_id] = change
        if not entry.settled:
            self._pending.add(command.event_id)

    def told(self) -> FoldedLog:
        """Write it down."""
        events = {each: self._document(change) for each, change in self._events.items()}
        return FoldedLog(self._shipment_document(), events, self._pending)

    def _count(self, change: EventChange) -> None:
        before = self._events.setdefault(change.event_id, change)
        if before is change:
            return
        if change.judged is not None:
            before.judged, before.record = change.judged, change.record
        before.last_offset = change.last_offset
        before.attempts += change.attempts
        before.duplicates += change.duplicates
        before.conflicts += change.conflicts

    def _document(self, change: EventChange) -> Document:
        if change.judged is None or change.record is None:
            raise ValueError(f"{change.event_id} was counted before it was judged")
        entry = self._entries[change.judged.offset]
        if change.record.outcome is not Outcome.DEAD:
            return event_document(change, partition=entry.partition, recorded_at=entry.appended_at)
        dead = dead_document(
            change.judged,
            reason=self._deaths[change.event_id],
            partition=entry.partition,
            recorded_at=entry.appended_at,
        )
        return dead | {"last_offset": change.last_offset, "conflicts": change.conflicts}

    def _shipment_document(self) -> Document | None:
        if self._shipment is None:
            return None
        applied = self._shipment.applied
        times = {each.command.event_id: self._entries[each.offset].appended_at for each in applied}
        last = self._entries[applied[-1].offset].appended_at
        document = shipment_document(self._shipment, recorded_at=last)
        for line in document["status_history"]:
            line["recorded_at"] = times[line["event_id"]]
        return document
