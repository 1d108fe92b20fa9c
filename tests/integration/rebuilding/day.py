"""A day on which all happens that can happen, and what `check` says of it."""

from collections.abc import Sequence

import pytest

import domain.processing.judging
from domain.processing.dead_letter import RecordPosition
from domain.processing.halts import QUARANTINED
from domain.shipments.commands import Command
from domain.shipments.shipment import decide
from domain.shipments.status import Status
from messaging import codec
from messaging.log.partitioning import partition_of
from storage.mongo.schema import QUARANTINED_SHIPMENTS, SHIPMENTS, STATUS_EVENTS
from tests.integration.processor.replaying import replay
from tests.integration.processor.traffic import traffic
from tests.support.builders import NOON, creation, number, report
from tests.support.crashing.breaking import BREAKING_SOURCE, with_bug
from tests.support.raw_batches import batch, record, write_batch
from tests.support.site import Site, processing
from tests.support.topics import read_topic, write_values
from toolbox.rebuild.comparison import Report, Source, check, opened

KILLED = report(Status.PICKED_UP, number(900), source=BREAKING_SOURCE)
"""Dies of a bug, and is replayed."""
STAYS_DEAD = report(Status.PICKED_UP, number(901), source=BREAKING_SOURCE)
LAST = [number(index) for index in range(910, 918)]
"""In every partition something is applied behind the dead letters."""
SET_ASIDE = number(902)
"""Set aside for the first half of the day; then its creation is replayed."""
MISPLACED = report(Status.PICKED_UP, LAST[1])
"""Stands in another partition than its key's, and is replayed."""
ODD = report(Status.PICKED_UP, LAST[2])
"""Has a header whose name is no UTF-8, and one that looks like a dead letter's."""
SHIPMENTS_OF_A_DAY = 30 + 3 + len(LAST)


async def spend(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply mixed traffic with dead letters of all kinds; replay some, once the bug is fixed."""
    aside = site.database[QUARANTINED_SHIPMENTS]
    await aside.insert_one({"_id": SET_ASIDE, "reason": "poison", "since": NOON, "requested_by": "admin"})
    with monkeypatch.context() as patched:
        patched.setattr(domain.processing.judging, "decide", with_bug(decide))
        async with processing(site):
            await site.send([creation(number(900)), KILLED, creation(number(901)), STAYS_DEAD])
            await site.send([creation(SET_ASIDE), report(Status.PICKED_UP, SET_ASIDE)])
            await site.send(traffic(30))
            await write_values(
                site.kafka, site.topics.events, [(number(1).encode(), b"\xff{"), (None, b"{}")]
            )
            await _write_raw(site, MISPLACED, by=1, headers=[])
            await _write_raw(site, ODD, by=0, headers=[(b"\xff", b"\0"), (b"dlq-odd", None)])
            await site.send([creation(each) for each in LAST])
            await site.finished()
    assert await site.database[STATUS_EVENTS].count_documents({"reason": QUARANTINED}) == 2
    await aside.delete_one({"_id": SET_ASIDE})
    await _replay(site, creation(SET_ASIDE))
    await _replay(site, KILLED)
    await _replay(site, MISPLACED)
    async with processing(site):
        await site.finished()


async def _write_raw(
    site: Site, command: Command, *, by: int, headers: Sequence[tuple[bytes, bytes | None]]
) -> None:
    """Write the record of a command so many partitions behind that of its key."""
    key = command.tracking_number.encode()
    partition = (partition_of(key, site.kafka.partitions) + by) % site.kafka.partitions
    await write_batch(
        site.kafka,
        site.topics.events,
        partition,
        batch([record(0, key=key, value=codec.encode(command), headers=headers)]),
    )


async def _replay(site: Site, command: Command) -> None:
    dead_letters = await read_topic(site.kafka, site.topics.dead_letters)
    [place] = {
        RecordPosition(each.partition, each.offset)
        for each in dead_letters
        if command.event_id.encode() in each.value
    }
    await replay(site, place)


async def checked(
    site: Site, source: Source = Source.BOTH, collection: str = SHIPMENTS
) -> tuple[Report, list[str]]:
    """Compare, and return the report with all that was said."""
    said: list[str] = []
    report = Report(said.append, show=1_000)
    async with opened(site.kafka, site.database, source, report) as sources:
        await check(sources, source, report, collection)
    return report, said
