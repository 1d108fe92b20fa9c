"""Replacement of `shipments`: rebuild into a side collection, and swap."""

from collections.abc import Sequence
from typing import Final

from domain.errors import WaybillError
from domain.processing.batch import Outcome
from messaging.log.looking import generations_of
from messaging.settings import KafkaSettings
from messaging.topic_reader import members_of
from storage.mongo.database import Database
from storage.mongo.documents import Document
from storage.mongo.maintenance.collection_swap import SideCollection, fence_off, fences_held
from storage.mongo.maintenance.snapshots import Stored
from toolbox.rebuild.audit_fold import rebuilt
from toolbox.rebuild.comparison import Report, Source, Sources, carried_over_faults, check, folded, opened
from toolbox.rebuild.differences import HISTORIES
from toolbox.rebuild.log_fold import Entry

_BATCH: Final = 1_000


class Refused(WaybillError):
    """Continuing would lose data; nothing has been changed."""


class Overtaken(WaybillError):
    """A processor took over while collections were swapped: its writes may be lost."""


async def write(sources: Sources, side: SideCollection, report: Report) -> int:
    """Write every shipment of the sources into a side collection; return their number.

    A shipment that cannot be rebuilt is a difference in the report, and not written. One that the log has
    lost is copied from `shipments`.

    Raises:
        Refused: the side collection exists.
    """
    if await side.exists():
        raise Refused(f"{side.name} exists: drop it, or take another name")
    await side.create()
    written, batch = 0, list[Document]()
    async for number, stored, entries in sources.walk(report.differ):
        shipment = _made(number, stored, entries, sources, report)
        if shipment is not None:
            written += 1
            batch.append(shipment)
        if len(batch) == _BATCH:
            await side.add(batch)
            batch.clear()
    if batch:
        await side.add(batch)
    return written


async def swap(
    kafka: KafkaSettings, database: Database, side: SideCollection, source: Source, report: Report, group: str
) -> None:
    """Replace `shipments` by a side collection, after comparing it with `source` once more.

    No processor may run meanwhile. Kafka is asked for members of the group; and the epochs of all fences are
    raised, so that a frozen processor cannot write its batch, as after a change of owners.

    Raises:
        Refused: a processor is alive, or the side collection is missing or different.
        Overtaken: a processor started during the swap.
    """
    if not await side.exists():
        raise Refused(f"{side.name} does not exist: write it first")
    await _require_nobody(kafka, group)
    async with opened(kafka, database, source, report) as sources:
        await check(sources, source, report, side.name)
        applied = dict(sources.snapshot.fences)
    if report.differences:
        raise Refused(f"{side.name} has {report.differences} differences: write it again")
    await _require_nobody(kafka, group)
    if dict(await fence_off(database)) != applied:
        raise Refused("events were applied meanwhile: stop the processors and write it again")
    await side.replace_shipments()
    if dict(await fences_held(database)) != applied:
        raise Overtaken("a processor started meanwhile: run check now")


def _made(
    number: str, stored: Stored, entries: list[Entry], sources: Sources, report: Report
) -> Document | None:
    if sources.log is None:
        made = rebuilt(number, stored.trail)
        for fault in made.faults:
            report.differ(number, fault)
        return None if made.faults else made.shipment
    if sources.log.is_gone(number, stored):
        report.gone += 1
        for fault in carried_over_faults(stored):
            report.differ(number, fault)
        return stored.document
    return timed(folded(sources.log, stored, entries).shipment, stored.trail)


def timed(shipment: Document | None, trail: Sequence[Document]) -> Document | None:
    """Return a shipment of the log with the processing times of its events in the audit log."""
    if shipment is None:
        return None
    applied = [event for event in trail if event.get("outcome") == Outcome.APPLIED]
    times = {event["_id"]: event["recorded_at"] for event in applied}
    last = {event["version"]: event["recorded_at"] for event in applied}
    lines: Document = {
        name: [
            {**line, "recorded_at": times.get(line["event_id"], line["recorded_at"])}
            for line in shipment[name]
        ]
        for name in HISTORIES
        if name in shipment
    }
    updated_at = last.get(shipment["version"], shipment["updated_at"])
    return {**shipment, **lines, "updated_at": updated_at}


async def _require_nobody(kafka: KafkaSettings, group: str) -> None:
    for generation in await generations_of(kafka):
        members = await members_of(kafka, group + generation.group)
        if members:
            raise Refused(f"{', '.join(members)} of {group} is alive: stop the processors first")
