"""Overload: rejected, or waiting in the log; memory stays bounded, and the backlog drains."""

import time
from dataclasses import replace

import pytest

from domain.shipments.status import Status
from tests.e2e.traffic import event_body
from tests.faults.matrix import Row
from tests.support.builders import creation, number
from tests.support.fault_table import Recovery
from tests.support.flood import Flood, while_it_lasts
from tests.support.history import violations
from tests.support.services import Service, service_process
from tests.support.site import Site
from tests.support.waiting import wait_for, wait_until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.fault(Row.OVERLOAD),
]

LANES, BATCH, MAX_IN_FLIGHT = 40, 100, 1000
TIMES_CAPACITY = 3
SAMPLE = 2000
GROWTH = 96 << 20
SHIPMENTS = [creation(number(index)) for index in range(100)]
NUMBERS = [each.tracking_number for each in SHIPMENTS]


@pytest.mark.parametrize(("seconds", "max_batch"), [(4, 10), (60, 50)], ids=["short", "minute"])
async def test_three_times_the_capacity_costs_only_time(
    site: Site, recovery: Recovery, seconds: int, max_batch: int
) -> None:
    site = replace(site, max_batch=max_batch)
    await site.send(SHIPMENTS)
    slow = {"PROCESSOR_CONCURRENCY": "1"}  # so that three times as much is no feat of the generator
    async with (
        service_process(site, "ingest_api", {"INGEST_MAX_IN_FLIGHT": str(MAX_IN_FLIGHT)}) as ingest,
        service_process(site, "processor", slow) as processor,
    ):
        flood = Flood(ingest.url, ingest.token, NUMBERS)
        capacity = await _capacity(site, flood)
        before = [ingest.rss, processor.rss]
        every_s = LANES * BATCH / (TIMES_CAPACITY * capacity)
        async with flood.running(lanes=LANES, batch=BATCH, every_s=every_s):
            sizes = await _watch(ingest, processor, seconds)
        assert flood.broken == flood.without_hint == 0
        assert flood.responses[503] > 0, "forty posts at a time are four times what may be in flight"
        for size, most in zip(before, zip(*sizes, strict=True), strict=True):
            assert max(most) - size < GROWTH
        with recovery.timed():
            await site.finished(timeout_s=300)
        await _is_quick_again(flood)
        assert (ingest.process.poll(), processor.process.poll()) == (None, None)
    assert violations(await site.observed(), flood.sent(SHIPMENTS)) == []


async def _capacity(site: Site, flood: Flood) -> float:
    """Return how many events a second are applied with a large backlog."""
    async with flood.running(lanes=5, batch=BATCH):
        await wait_until(lambda: flood.accepted.total() >= SAMPLE, timeout_s=60, what="events to measure by")
    already = await site.database["status_events"].count_documents({})
    started = time.monotonic()
    await site.finished(timeout_s=120)
    applied = await site.database["status_events"].count_documents({}) - already
    return max(50.0, applied / (time.monotonic() - started))


async def _watch(ingest: Service, processor: Service, seconds: int) -> list[tuple[int, int]]:
    """Record the memory of both; their health routes respond."""
    sizes: list[tuple[int, int]] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        await while_it_lasts(0.5, lambda: sizes.append((ingest.rss, processor.rss)))
        for service in (ingest, processor):
            assert (await service.health("/health/live"))[0] == 200
            assert (await service.health("/health"))[0] == 200
    return sizes


async def _is_quick_again(flood: Flood) -> None:
    """Post one event, and wait for its outcome in the same request."""
    event = event_body(NUMBERS[0], Status.IN_TRANSIT)

    async def judged() -> bool:
        return await flood.wait_for_outcome(event, wait_s=5) in (200, 409)

    await wait_for(judged, timeout_s=60, what="an outcome within the wait")
