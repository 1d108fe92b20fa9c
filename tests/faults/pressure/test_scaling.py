"""Processors scaled under load: 1, 5, then 2. Nothing is lost or applied twice, and order is preserved."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from domain.shipments.commands import Command
from storage.mongo.schema import PARTITION_FENCES
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.fault_table import Recovery
from tests.support.services import service_process
from tests.support.site import Site
from tests.support.waiting import wait_for

pytestmark = [
    pytest.mark.stack,
    pytest.mark.long,
    pytest.mark.timeout(400),
    pytest.mark.fault(Row.PROCESSORS_SCALED),
]

OWNED_WITHIN_S = 90.0


@pytest.fixture
def partitions() -> int:
    """Give enough partitions for five processors."""
    return 10


async def test_processors_from_one_to_five_to_two_lose_and_double_nothing(
    site: Site, recovery: Recovery
) -> None:
    day = traffic(2500, seed=31)
    wide = replace(site, max_batch=50)
    async with AsyncExitStack() as stack, _load(wide, day) as load:
        async with _longest_pause(wide, recovery):
            await stack.enter_async_context(service_process(wide, "processor"))
            first = await _owners(wide, 1)
            joined = [
                await stack.enter_async_context(service_process(wide, "processor", ready=False))
                for _ in range(4)
            ]
            await _owners(wide, 5)
            for leaving in joined[:3]:
                leaving.terminate()
            await asyncio.gather(*(leaving.ended() for leaving in joined[:3]))
            assert first <= await _owners(wide, 2)
        await load
        await wide.finished(timeout_s=120)
    assert await site.violations(day) == []


async def _owners(site: Site, count: int) -> set[str]:
    """Wait until there are so many owners, and return them."""
    owners: set[str] = set()

    async def so_many() -> bool:
        owners.clear()
        owners.update(await site.owners())
        return len(owners) == count

    await wait_for(so_many, timeout_s=OWNED_WITHIN_S, what=f"{count} owners")
    return owners


@asynccontextmanager
async def _load(site: Site, day: Sequence[Command]) -> AsyncIterator["asyncio.Task[None]"]:
    async def send() -> None:
        for at in range(0, len(day), 200):
            await site.send(day[at : at + 200])

    task = asyncio.create_task(send())
    try:
        yield task
    finally:
        task.cancel()


@asynccontextmanager
async def _longest_pause(site: Site, recovery: Recovery) -> AsyncIterator[None]:
    """Record the longest time in which nothing was applied although there was something to apply."""

    async def watch() -> None:
        applied, since, longest = 0, time.monotonic(), 0.0
        while True:
            fences = [fence["next_offset"] async for fence in site.database[PARTITION_FENCES].find()]
            if sum(fences) != applied:
                applied, since = sum(fences), time.monotonic()
            longest = max(longest, time.monotonic() - since)
            pauses[:] = [longest]
            await asyncio.sleep(0.1)

    pauses: list[float] = [0.0]
    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        recovery.took(pauses[0])
