"""Stores that cannot write any more, and stores that stutter."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import psutil
import pytest

from tests.faults.matrix import Row
from tests.support.builders import creation, number
from tests.support.fault_table import Recovery
from tests.support.flood import Flood
from tests.support.history import violations
from tests.support.services import service_process
from tests.support.site import Site
from tests.support.stack import RunningStack, frozen, no_room_for

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(300)]

SHIPMENTS = [creation(number(index)) for index in range(50)]
STUTTER_S = 0.2
FULL_S = 4.0
LANES, BATCH, EVERY_S = 5, 40, 0.3


@asynccontextmanager
async def under_load(site: Site) -> AsyncIterator[Flood]:
    """Run both services under a light load; at the end, require the right outcome of everything sent."""
    site = replace(site, max_batch=100)
    await site.send(SHIPMENTS)
    async with service_process(site, "ingest_api") as ingest, service_process(site, "processor") as processor:
        flood = Flood(ingest.url, ingest.token, [each.tracking_number for each in SHIPMENTS])
        async with flood.running(lanes=LANES, batch=BATCH, every_s=EVERY_S):
            await flood.accepted_more(LANES)
            yield flood
        await site.finished(timeout_s=90)
        assert (ingest.process.poll(), processor.process.poll()) == (None, None)
    assert flood.without_hint == 0
    assert violations(await site.observed(), flood.sent(SHIPMENTS)) == []


@pytest.mark.fault(Row.DISK_SLOW)
@pytest.mark.parametrize(
    "groups",
    [
        ("mongod", "redis", "kafka"),
        ("mongod",),
        ("redis",),
        ("kafka",),
    ],
    ids="-".join,
)
async def test_stores_that_stutter_make_it_slower_and_never_wrong(
    site: Site, own_stack: RunningStack, recovery: Recovery, groups: Sequence[str]
) -> None:
    async with under_load(site) as flood:
        for _ in range(10):
            with frozen(own_stack, *groups):
                await asyncio.sleep(STUTTER_S)  # the fault itself
            await asyncio.sleep(STUTTER_S)
        with recovery.timed():
            await flood.accepted_more(2 * LANES)


@pytest.mark.fault(Row.DISK_FULL)
@pytest.mark.parametrize("group", ["mongod", "redis", "kafka"])
async def test_a_store_that_cannot_write_loses_nothing_once_it_can(
    site: Site, own_stack: RunningStack, recovery: Recovery, group: str
) -> None:
    async with under_load(site) as flood:
        member = own_stack.member(group)
        with no_room_for(member.pid):
            await asyncio.sleep(FULL_S)  # the fault itself
        with recovery.timed():
            if not psutil.pid_exists(member.pid):
                await asyncio.to_thread(own_stack.wait_replaced, group, member)
            await flood.accepted_more(2 * LANES)
