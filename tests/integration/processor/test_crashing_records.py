"""Records that crash every reader: found, dead-lettered, and the others applied."""

import asyncio
import sys
from datetime import timedelta

import pytest

from domain.processing.halts import STALLED_OPENS, Attempt
from domain.shipments.commands import Command
from domain.shipments.status import Status
from messaging.consumer.partition.isolation import MAX_ENDED
from messaging.log.partitioning import partition_of
from storage.mongo.processing.partition_state import MongoPartitionStateStore
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.mongo.schema import DEAD_LETTERS, SHIPMENTS, STATUS_EVENTS
from tests.faults.matrix import Row
from tests.integration.rebuilding.day import checked
from tests.support.builders import NOON, NUMBER, creation, ends_at, number, report
from tests.support.crashing.killer import KILLING_SOURCE
from tests.support.crashing.processes import KILLED
from tests.support.fault_table import Recovery
from tests.support.site import Site
from tests.support.topics import end_offsets, read_topic

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.PROCESS_KILLER)]

SEAT = "seat-1"
KILLER = report(Status.PICKED_UP, at=NOON + timedelta(hours=1), source=KILLING_SOURCE)
JOURNEY: list[Command] = [creation(), report(Status.PICKED_UP), KILLER, report(Status.IN_WAREHOUSE)]
OTHERS: list[Command] = [creation(number(index)) for index in range(100, 120)]


async def life(site: Site, kill_at: str) -> bool:
    """Run a processor until it is killed or all is applied; say whether it survived."""
    environment = site.environment("mortal", seat=SEAT) | {"KILL_AT": kill_at}
    program = ("-m", "tests.support.crashing.killer")
    process = await asyncio.create_subprocess_exec(sys.executable, *program, env=environment)
    ended = asyncio.create_task(process.wait())
    try:
        applied = asyncio.create_task(site.finished(timeout_s=40))
        await asyncio.wait([ended, applied], return_when=asyncio.FIRST_COMPLETED)
        applied.cancel()
        await asyncio.gather(applied, return_exceptions=True)
    finally:
        if not ended.done():
            process.terminate()
    code = await ended
    assert code in (0, KILLED)
    return code == 0


async def lives(site: Site, kill_at: str, *, most: int) -> int:
    """Start processors until one survives; say how many were killed."""
    for killed in range(most):
        if await life(site, kill_at):
            return killed
    raise AssertionError(f"{most} processes were killed")


async def wait_for_attempts(site: Site, count: int) -> None:
    """Record attempts at the killer by processes that ended."""
    partition = partition_of(NUMBER.encode(), site.kafka.partitions)
    log = await read_topic(site.kafka, site.topics.events)
    [offset] = [record.offset for record in log if KILLING_SOURCE.encode() in record.value]
    ends = await end_offsets(site.kafka, site.topics.events)
    fence = await MongoShipmentStore(site.database).acquire(
        f"{site.topics.events}/{partition}", owner="before", end_offset=ends_at(ends[partition])
    )
    await MongoPartitionStateStore(site.database).note_attempt(fence, Attempt(offset, count))


async def killer_alone_is_buried(site: Site) -> None:
    """Check that the killer is dead-lettered, all others are applied, and no attempt is left."""
    dead_letters = await site.database[DEAD_LETTERS].find().to_list()
    assert {(dead_letter["reason"], dead_letter["key"]) for dead_letter in dead_letters} == {
        ("unprocessable", NUMBER)
    }
    assert all(dead_letter["error"].startswith("the process ended") for dead_letter in dead_letters)
    assert [dead_letter.value for dead_letter in await read_topic(site.kafka, site.topics.dead_letters)] == [
        record.value
        for record in await read_topic(site.kafka, site.topics.events)
        if KILLING_SOURCE.encode() in record.value
    ]
    shipment = await site.database[SHIPMENTS].find_one({"_id": NUMBER})
    assert shipment is not None
    assert [entry["status"] for entry in shipment["status_history"]] == [
        "created",
        "picked_up",
        "in_warehouse",
    ]


async def outcome(site: Site, command: Command) -> str | None:
    event = await site.database[STATUS_EVENTS].find_one({"_id": command.event_id})
    return None if event is None else str(event["outcome"])


@pytest.mark.timeout(150)
@pytest.mark.parametrize(("kill_at", "killed", "ends_as"), [("judging", 1, "dead"), ("reading", 2, None)])
async def test_a_record_that_crashed_enough_processes_is_dead_lettered(
    site: Site, kill_at: str, killed: int, ends_as: str | None
) -> None:
    await site.send([*OTHERS[:10], *JOURNEY, *OTHERS[10:]])
    await wait_for_attempts(site, MAX_ENDED - 1)
    assert await lives(site, kill_at, most=killed + 2) == killed
    await killer_alone_is_buried(site)
    assert await outcome(site, KILLER) == ends_as, (
        "a record that may not be read has a dead letter, but no outcome"
    )
    assert await site.database[STATUS_EVENTS].count_documents({"outcome": "applied"}) == 23
    assert (await checked(site))[1] == [], "it can be rebuilt, and rebuilding does not read what kills"


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_processor_that_dies_again_and_again_at_a_record_gets_past_it(
    site: Site, recovery: Recovery
) -> None:
    await site.send([*OTHERS[:10], *JOURNEY, *OTHERS[10:]])
    with recovery.timed():
        killed = await lives(site, "judging", most=20)
    assert MAX_ENDED < killed <= 2 * (STALLED_OPENS + 1) + MAX_ENDED
    await killer_alone_is_buried(site)
    assert await site.violations([*OTHERS, *JOURNEY]) == []


@pytest.mark.timeout(150)
async def test_owners_that_find_nothing_to_do_cost_no_healthy_record_its_place(site: Site) -> None:
    """Ten processors in a row, with nothing to do, and then one event."""
    await site.send(JOURNEY[:1])
    partition = partition_of(NUMBER.encode(), site.kafka.partitions)
    store = MongoShipmentStore(site.database)
    assert await life(site, "judging")
    for _ in range(10):
        await store.acquire(f"{site.topics.events}/{partition}", owner="idle", end_offset=ends_at(1))
    await site.send(JOURNEY[1:2])
    assert await life(site, "judging")
    assert await site.violations(JOURNEY[:2]) == []
