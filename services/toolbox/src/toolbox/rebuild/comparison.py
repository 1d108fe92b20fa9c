"""The comparison: every shipment rebuilt, next to the one that is stored; one at a time is in memory."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from bson import encode

from domain.processing.batch import Outcome
from messaging.settings import KafkaSettings
from storage.mongo.database import Database
from storage.mongo.documents import Document
from storage.mongo.maintenance.snapshots import Snapshot, Stored, side_by_side, snapshot_of
from storage.mongo.schema import SHIPMENTS
from toolbox.rebuild.audit_fold import rebuilt
from toolbox.rebuild.differences import BOUNDED, PROCESSING_TIMES, differences
from toolbox.rebuild.log_fold import Entry, FoldedLog, retold
from toolbox.rebuild.log_source import Log, Tell, opened_log

NOTHING: Final = Stored(None, [])
_COUNTERS: Final = ("attempts", "duplicates", "conflicts")


class Source(StrEnum):
    """What is rebuilt from."""

    AUDIT = "audit"
    LOG = "log"
    BOTH = "both"


@dataclass(slots=True)
class Report:
    """What has been found. `say` takes the first `show` differences in words; all of them are counted."""

    say: Callable[[str], None]
    show: int = 20
    shipments: int = 0
    events: int = 0
    records: int = 0
    gone: int = 0
    differences: int = 0

    def count_records(self, more: int) -> None:
        """Take in that so many records of the log have been read."""
        self.records += more

    def differ(self, what: str, fault: str) -> None:
        """Take a difference in: of which shipment or record, and what it is."""
        self.differences += 1
        if self.differences <= self.show:
            self.say(f"{what}: {fault}")


@dataclass(frozen=True, slots=True)
class Sources:
    """What stands at one instant: both collections, and the log if it is asked for."""

    snapshot: Snapshot
    log: Log | None

    async def walk(
        self, tell: Tell, collection: str = SHIPMENTS
    ) -> AsyncIterator[tuple[str, Stored, list[Entry]]]:
        """Give what there is of each shipment, by tracking number."""
        stored = self.snapshot.stored(collection)
        if self.log is None:
            async for number, both in stored:
                yield number, both, []
            return
        async for number, there, entries in side_by_side(stored, _iterated(self.log.stories(tell))):
            yield number, there or NOTHING, entries or []


@asynccontextmanager
async def opened(
    kafka: KafkaSettings, database: Database, source: Source, report: Report
) -> AsyncIterator[Sources]:
    """Open what a rebuild from `source` reads; the report counts the records of the log.

    Raises:
        StoreUnavailable: Kafka or MongoDB did not answer.
    """
    if source is Source.AUDIT:
        async with snapshot_of(database) as snapshot:
            yield Sources(snapshot, None)
        return
    async with opened_log(kafka, database, count=report.count_records) as (snapshot, log):
        yield Sources(snapshot, log)


async def check(sources: Sources, source: Source, report: Report, collection: str = SHIPMENTS) -> None:
    """Compare every shipment of `collection` with what the sources make of it.

    What the log has lost must stand there as it stands in `shipments`.
    """
    if sources.log is not None and report.records and not sources.snapshot.fences:
        report.differ("partition_fences", f"is empty: none of {report.records} records has been applied")
    async for number, stored, entries in sources.walk(report.differ, collection):
        report.shipments += stored.shipment is not None
        report.events += len(stored.trail)
        if source is not Source.LOG:
            for fault in audit_faults(number, stored):
                report.differ(number, fault)
        if sources.log is not None:
            if sources.log.is_gone(number, stored):
                report.gone += 1
                faults = kept_faults(stored)
            else:
                faults = log_faults(stored, told(sources.log, stored, entries), sources.log)
            for fault in faults:
                report.differ(number, fault)


def kept_faults(stored: Stored) -> Iterator[str]:
    """Tell where a shipment that the log has lost is not kept as it stands in `shipments`."""
    current = stored.current_document
    if current is None:
        if any(event.get("outcome") == Outcome.APPLIED for event in stored.trail):
            yield "is missing, and the log no longer tells of its creation"
        elif stored.shipment is not None:
            yield "is there, should not be: shipments does not have it"
    elif stored.shipment is None:
        yield _missing(current)
    elif stored.current is not None and stored.shipment.raw != stored.current.raw:
        yield from differences(stored.document or {}, current)


def audit_faults(number: str, stored: Stored) -> Iterator[str]:
    """Tell what a shipment has otherwise than its events in the audit log say."""
    made = rebuilt(number, stored.trail)
    yield from made.faults
    if made.shipment is None:
        if stored.shipment is not None and not made.faults:
            yield "is there, should not be: status_events has no event that was applied to it"
    elif stored.shipment is None:
        yield _missing(made.shipment)
    elif encode(made.shipment) != stored.shipment.raw:
        yield from differences(stored.document or {}, made.shipment)


def told(log: Log, stored: Stored, entries: Sequence[Entry]) -> FoldedLog:
    """Fold what the log has of a shipment, with what only the audit log knows of dead letters."""
    judged_at = [event.get("offset") for event in stored.trail if event.get("outcome") != Outcome.DEAD]
    deaths = {event.get("offset"): death for event in stored.trail if (death := log.death_of(event))}
    if deaths:
        entries = [
            replace(entry, death=entry.death or deaths.get(entry.delivery.offset)) for entry in entries
        ]
    return retold(entries, judged_at=judged_at)


def log_faults(stored: Stored, wanted: FoldedLog, log: Log) -> Iterator[str]:
    """Tell what a shipment and its events have otherwise than the log says."""
    document = stored.document
    if wanted.shipment is None:
        if document is not None:
            yield "is there, should not be: nobody created it in the log"
    elif document is None:
        yield _missing(wanted.shipment)
    elif not _is_same(document, wanted.shipment):
        yield from differences(document, wanted.shipment, leave_out=PROCESSING_TIMES)
    found = {event["_id"]: event for event in stored.trail}
    for event_id, event in wanted.events.items():
        if event_id in found:
            yield from _event_faults(found[event_id], event, log)
        elif event_id not in wanted.pending:
            yield f"event {event_id} is missing, should be {event['outcome']}"
    for event_id, event in found.items():
        if event_id not in wanted.events and not log.has_lost(event):
            yield f"event {event_id} is {event.get('outcome')}, should not be there: it is not in the log"


def _event_faults(found: Document, wanted: Document, log: Log) -> Iterator[str]:
    if log.begins.get(wanted["partition"], 0) > 0:
        # Of an event that was counted before, the log may have lost the first records.
        wanted |= {name: max(found.get(name) or 0, wanted[name]) for name in _COUNTERS}
    if not _is_same(found, wanted):
        event_id = wanted["_id"]
        for fault in differences(found, wanted, leave_out=PROCESSING_TIMES | BOUNDED):
            yield f"event {event_id}: {fault}"


def _is_same(found: Document, wanted: Document) -> bool:
    """Say whether two documents are the same but for processing times, in the fastest way there is."""
    timeless = {
        **wanted,
        **{name: found[name] for name in PROCESSING_TIMES if name in found and name in wanted},
    }
    lines, there = wanted.get("status_history"), found.get("status_history")
    if lines is not None and isinstance(there, list) and len(there) == len(lines):
        timeless["status_history"] = [
            {**line, "recorded_at": _recorded_at(old)} for line, old in zip(lines, there, strict=True)
        ]
    return timeless == found


def _recorded_at(line: Any) -> object:  # noqa: ANN401  # whatever stands there
    return line.get("recorded_at") if isinstance(line, dict) else None


def _missing(shipment: Document) -> str:
    return f"is missing, should be {shipment['current_status']} at version {shipment['version']}"


async def _iterated(
    stories: Iterator[tuple[str, list[Entry]]],
) -> AsyncIterator[tuple[str, list[Entry]]]:
    for story in stories:
        yield story
