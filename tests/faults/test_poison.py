"""Records that nobody can decode or apply: retained byte for byte; the records around them are applied."""

import json
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest
from structlog.testing import capture_logs

import domain.processing.judging
from domain.shipments.commands import Command
from domain.shipments.shipment import decide
from domain.shipments.status import Status
from messaging import codec
from messaging.log.partitioning import partition_of
from messaging.topics import ensure_topics
from tests.faults.matrix import Row
from tests.support.builders import NUMBER, ROUTE, creation, number, report
from tests.support.crashing.breaking import BREAKING_SOURCE, with_bug
from tests.support.fault_table import Recovery
from tests.support.site import Site, processing
from tests.support.topics import admin_of, committed_offsets, read_topic, write_values
from tests.support.waiting import wait_for, wait_until

pytestmark = pytest.mark.stack

ODD = report(Status.PICKED_UP, source="an odd one")
BROKEN = report(Status.PICKED_UP, source=BREAKING_SOURCE)
JOURNEY: list[Command] = [creation(), *(report(status) for status in ROUTE)]


def odd(**data: Any) -> bytes:  # noqa: ANN401  # JSON
    """Return a valid record with some of its data replaced."""
    record: dict[str, Any] = json.loads(codec.encode(ODD))
    record["data"] |= data
    return json.dumps(record).encode()


UNREADABLE = (
    b"{",
    b"\xff\xfe\x00",
    b"\x00",
    b"",
    b"[" * 100_000,
    b'{"notes": "' + b"x" * 900_000,
    odd(notes="\ud800"),
    odd(status="picked_up\x00"),
    odd(status="lost"),
    odd(status="created"),
    odd(location={"lat": 10**400, "lng": 0}),
)
STRANGE = (
    replace(report(Status.PICKED_UP, source="scanner\x00"), notes="a\x00b"),
    replace(report(Status.PICKED_UP, source="far away"), location={"lat": 2**63, "lng": -(2**63)}),
)
"""A value that ingest-api rejects: it can be stored, so it is no poison."""


@pytest.mark.fault(Row.POISON)
async def test_poison_of_every_kind_is_dead_lettered_and_its_neighbours_are_applied(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain.processing.judging, "decide", with_bug(decide))
    await site.send(JOURNEY[:1])
    partition = await partition_of_journey(site)
    values = [*UNREADABLE, codec.encode(BROKEN)]
    between = [command for command, _ in zip(cycle([*JOURNEY, *STRANGE]), values, strict=False)]
    for value, command in zip(values, between, strict=True):
        await write_values(site.kafka, site.topics.events, [(NUMBER.encode(), value)], partition)
        await site.send([command])
    async with processing(site):
        await site.finished()
    assert await site.dead_lettered() == set(values)
    assert await site.violations([*JOURNEY[:1], *between, BROKEN]) == []


@pytest.mark.fault(Row.DEAD_LETTERS_AWAY)
@pytest.mark.long
async def test_without_the_dead_letter_topic_the_partition_waits_at_the_record_that_belongs_there(
    site: Site, recovery: Recovery
) -> None:
    await site.send(JOURNEY[:1])
    partition = await partition_of_journey(site)
    await write_values(site.kafka, site.topics.events, [(NUMBER.encode(), b"{")], partition)
    await site.send(JOURNEY[1:])
    await delete(site)
    with capture_logs() as logs:
        async with processing(site):
            await wait_until(lambda: any(line["event"] == "batch_retried" for line in logs), timeout_s=20)
            elsewhere = next(
                each
                for each in map(number, range(2, 100))
                if partition_of(each.encode(), site.kafka.partitions) != partition
            )
            await site.send([another := creation(elsewhere)])
            await wait_for(lambda: is_committed(site, 1 - partition), timeout_s=10, what="the others")
            committed = await committed_offsets(site.kafka, site.group, site.topics.events)
            assert committed.get(partition, 0) <= 1, "not past the record that belongs there"
            assert await site.applied() == {JOURNEY[0].event_id, another.event_id}
            await ensure_topics(site.kafka)
            with recovery.timed():
                await site.finished(timeout_s=40)
    assert await site.dead_lettered() == {b"{"}
    assert await site.violations([*JOURNEY, another]) == []


async def partition_of_journey(site: Site) -> int:
    """Return the partition of the journey's first record."""
    [first] = await read_topic(site.kafka, site.topics.events)
    return int(first.partition)


async def is_committed(site: Site, partition: int) -> bool:
    """Return whether anything is committed in a partition."""
    return partition in await committed_offsets(site.kafka, site.group, site.topics.events)


async def delete(site: Site) -> None:
    """Delete the dead-letter topic."""
    async with admin_of(site.kafka) as admin:
        await admin.delete_topics([site.topics.dead_letters])
