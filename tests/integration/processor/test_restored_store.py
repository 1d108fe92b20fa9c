"""MongoDB that is empty again, or older than it was: what the log still has is applied again, once."""

import pytest

from domain.shipments.commands import Command
from domain.shipments.status import Status
from storage.mongo.schema import DEAD_LETTERS, PARTITION_FENCES, SHIPMENTS, STATUS_EVENTS
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.integration.rebuilding.day import checked
from tests.support.builders import creation, number, report
from tests.support.site import Site, processing
from tests.support.topics import end_offsets, forget_records, is_caught_up, read_topic, write_values
from tests.support.waiting import wait_for
from toolbox.rebuild.comparison import Source

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.MONGO_PUT_BACK)]

KEPT = (SHIPMENTS, STATUS_EVENTS, PARTITION_FENCES, DEAD_LETTERS)
MORNING = traffic(20, seed=3)
EVENING = [*traffic(20, seed=4, first=100), report(Status.PICKED_UP, number(900))]
WELL: list[Command] = [creation(number(900)), *MORNING]


async def worked(site: Site, *commands: Command) -> None:
    """Apply commands, and commit."""
    await site.send(commands)
    async with processing(site):
        await site.finished()
    assert await is_caught_up(site.kafka, site.group, site.topics.events)


async def put_back(site: Site, backup: str) -> None:
    """Put the collections back as they were when they were copied with this suffix."""
    for name in KEPT:
        await site.database[name].delete_many({})
        async for document in site.database[f"{name}_{backup}"].find():
            await site.database[name].insert_one(document)


async def copied(site: Site, backup: str) -> None:
    """Copy the collections."""
    for name in KEPT:
        await (await site.database[name].aggregate([{"$out": f"{name}_{backup}"}])).to_list()


async def test_an_emptied_store_is_filled_again(site: Site) -> None:
    await worked(site, *WELL, *EVENING)
    for name in KEPT:
        await site.database[name].drop()
    async with processing(site, "next"):
        await site.finished()
    assert await site.violations([*WELL, *EVENING], published=True) == []
    assert (await checked(site, Source.BOTH))[1] == []


async def test_an_older_store_catches_up(site: Site) -> None:
    await worked(site, *WELL)
    await copied(site, "morning")
    await worked(site, *EVENING)
    await put_back(site, "morning")
    async with processing(site, "next"):
        await site.finished()
    assert await site.violations([*WELL, *EVENING], published=True) == []


async def test_a_store_that_is_put_back_under_its_processor_catches_up(site: Site) -> None:
    await worked(site, *WELL)
    async with processing(site, "alive"):
        await site.send(EVENING[:-1])
        await site.finished()
        await copied(site, "noon")
        more = traffic(20, seed=5, first=200)
        await site.send(more)
        await site.finished()
        await put_back(site, "noon")
        news = [creation(number(index)) for index in range(300, 340)]
        await site.send(news)  # in each partition something, so that each sees its fence
        await site.finished()
    assert await site.violations([*WELL, *EVENING[:-1], *more, *news], published=True) == []


async def test_a_dead_lettered_tail_is_not_dead_lettered_again(site: Site) -> None:
    await worked(site, *WELL)
    await write_values(site.kafka, site.topics.events, [(b"nobody", b"{"), (b"nobody", None)])
    for owner in ("one", "two", "three"):
        async with processing(site, owner):
            await site.finished()
    assert len(await read_topic(site.kafka, site.topics.dead_letters)) == 2


async def test_what_the_log_has_lost_of_an_emptied_store_is_not_jumped(site: Site) -> None:
    await worked(site, *WELL)
    ends = await end_offsets(site.kafka, site.topics.events)
    await forget_records(site.kafka, site.topics.events, below={0: ends[0]})
    fences = site.database[PARTITION_FENCES]
    await fences.delete_many({})
    first = {"_id": f"{site.topics.events}/0"}

    async def halted() -> bool:
        fence = await fences.find_one(first)
        return fence is not None and fence.get("halt") is not None

    async with processing(site, "next"):
        await wait_for(halted, timeout_s=20, what="the halt")
    fence = await fences.find_one(first)
    assert fence is not None
    assert fence["halt"]["is_gap"]
