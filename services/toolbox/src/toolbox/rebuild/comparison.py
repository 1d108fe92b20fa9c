"""Comparison of every stored shipment with the rebuilt one; one at a time is in memory."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from bson import encode

from domain.processing.batch import Outcome
from messaging.settings import KafkaSettings
from storage.mongo.database import Database
from storage.mongo.documents import EXPLANATION, PREVIOUS_STATUS, Document
from storage.mongo.maintenance.snapshots import Snapshot, Stored, side_by_side, snapshot_of
from storage.mongo.schema import SHIPMENTS
from toolbox.rebuild.audit_fold import rebuilt
from toolbox.rebuild.differences import BOUNDED, HISTORIES, PROCESSING_TIMES, differences
from toolbox.rebuild.log_fold import Entry, FoldedLog, fold_log, with_holds
from toolbox.rebuild.log_source import Log, ReportFault, opened_log

NOT_STORED: Final = Stored(None, [])
_COUNTERS: Final = ("attempts", "duplicates", "conflicts")


class Source(StrEnum):
    """Source of a rebuild."""

    AUDIT = "audit"
    LOG = "log"
    BOTH = "both"


@dataclass(slots=True)
class Report:
    """Result of a comparison. `say` prints the first `show` differences; all of them are counted."""

    say: Callable[[str], None]
    show: int = 20
    shipments: int = 0
    events: int = 0
    records: int = 0
    gone: int = 0
    differences: int = 0

    def count_records(self, more: int) -> None:
        """Count records of the log that have been read."""
        self.records += more

    def differ(self, what: str, fault: str) -> None:
        """Count and print a difference of a shipment or record."""
        self.differences += 1
        if self.differences <= self.show:
            self.say(f"{what}: {fault}")


@dataclass(frozen=True, slots=True)
class Sources:
    """Sources as of one instant: a snapshot of both collections, and the log if requested."""

    snapshot: Snapshot
    log: Log | None

    async def walk(
        self, report_fault: ReportFault, collection: str = SHIPMENTS
    ) -> AsyncIterator[tuple[str, Stored, list[Entry]]]:
        """Yield the stored documents and the log entries of each shipment, by tracking number."""
        stored = self.snapshot.stored(collection)
        if self.log is None:
            async for number, both in stored:
                yield number, both, []
            return
        async for number, there, entries in side_by_side(
            stored, _iterated(self.log.entries_by_shipment(report_fault))
        ):
            yield number, there or NOT_STORED, entries or []


@asynccontextmanager
async def opened(
    kafka: KafkaSettings, database: Database, source: Source, report: Report
) -> AsyncIterator[Sources]:
    """Open the sources of a rebuild; the report counts the records of the log.

    Raises:
        StoreUnavailable: Kafka or MongoDB did not respond.
    """
    if source is Source.AUDIT:
        async with snapshot_of(database) as snapshot:
            yield Sources(snapshot, None)
        return
    async with opened_log(kafka, database, count=report.count_records) as (snapshot, log):
        yield Sources(snapshot, log)


async def check(sources: Sources, source: Source, report: Report, collection: str = SHIPMENTS) -> None:
    """Compare every shipment of `collection` with the one rebuilt from the sources.

    A shipment that the log has lost must equal the one in `shipments`.
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
                faults = carried_over_faults(stored)
            else:
                faults = log_faults(stored, folded(sources.log, stored, entries), sources.log)
            for fault in faults:
                report.differ(number, fault)


def carried_over_faults(stored: Stored) -> Iterator[str]:
    """Yield differences from `shipments` of a shipment that the log has lost."""
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
    """Yield differences between a shipment and its events in the audit log."""
    made = rebuilt(number, stored.trail)
    yield from made.faults
    if made.shipment is None:
        if stored.shipment is not None and not made.faults:
            yield "is there, should not be: status_events has no event that was applied to it"
    elif stored.shipment is None:
        yield _missing(made.shipment)
    elif encode(made.shipment) != stored.shipment.raw:
        yield from differences(stored.document or {}, made.shipment)


def folded(log: Log, stored: Stored, entries: Sequence[Entry]) -> FoldedLog:
    """Fold the log entries of a shipment.

    Reasons of lost dead letters come from the audit log, and how long early events were held: by the setting
    that the processor had then.
    """
    entries = with_holds(entries, stored.trail)
    judged_at = [event.get("offset") for event in stored.trail if event.get("outcome") != Outcome.DEAD]
    dead_reasons = {
        event.get("offset"): dead_reason
        for event in stored.trail
        if (dead_reason := log.dead_reason_of(event))
    }
    if dead_reasons:
        entries = [
            replace(entry, dead_reason=entry.dead_reason or dead_reasons.get(entry.consumed.offset))
            for entry in entries
        ]
    return fold_log(entries, judged_at=judged_at)


def log_faults(stored: Stored, wanted: FoldedLog, log: Log) -> Iterator[str]:
    """Yield differences of a shipment and its events from the log."""
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
        # The log may have lost the first records of an event, so its counters may be lower.
        wanted |= {name: max(found.get(name) or 0, wanted[name]) for name in _COUNTERS}
    # Events of an earlier release say neither why their transition was rejected, nor the status before.
    later = (*EXPLANATION, PREVIOUS_STATUS)
    wanted = {name: value for name, value in wanted.items() if name in found or name not in later}
    if not _is_same(found, wanted):
        event_id = wanted["_id"]
        for fault in differences(found, wanted, leave_out=PROCESSING_TIMES | BOUNDED):
            yield f"event {event_id}: {fault}"


def _is_same(found: Document, wanted: Document) -> bool:
    """Return True if two documents are equal except for processing times; the fast path."""
    timeless = {
        **wanted,
        **{name: found[name] for name in PROCESSING_TIMES if name in found and name in wanted},
    }
    for name in HISTORIES:
        lines, there = wanted.get(name), found.get(name)
        if lines is not None and isinstance(there, list) and len(there) == len(lines):
            timeless[name] = [_recorded_as(old, line) for line, old in zip(lines, there, strict=True)]
    return timeless == found


def _recorded_as(old: object, line: Document | None) -> Document | None:
    """Return an entry as recorded when a stored one was; None for an empty slot of the ring."""
    return None if line is None else {**line, "recorded_at": _recorded_at(old)}


def _recorded_at(line: Any) -> object:  # noqa: ANN401  # any stored value
    return line.get("recorded_at") if isinstance(line, dict) else None


def _missing(shipment: Document) -> str:
    return f"is missing, should be {shipment['current_status']} at version {shipment['version']}"


async def _iterated(
    shipments: Iterator[tuple[str, list[Entry]]],
) -> AsyncIterator[tuple[str, list[Entry]]]:
    for each in shipments:
        yield each
