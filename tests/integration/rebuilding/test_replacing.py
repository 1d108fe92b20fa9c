"""`write` and `swap` on real servers: what was destroyed is there again, and nobody is overrun."""

import pytest

from domain.shipments.commands import Command
from domain.shipments.status import Status
from storage.mongo.documents import Document
from storage.mongo.maintenance.collection_swap import SideCollection
from storage.mongo.schema import INDEXES, PARTITION_FENCES, SHIPMENTS
from tests.integration.rebuilding.day import LAST, checked, spend
from tests.support.builders import NUMBER, ROUTE, amendment, creation, report
from tests.support.site import Site, processing
from tests.support.topics import end_offsets, forget_records
from toolbox.rebuild import replacement
from toolbox.rebuild.comparison import Report, Source, Sources, check, opened
from toolbox.rebuild.replacement import Overtaken, Refused, swap, write

pytestmark = pytest.mark.stack

SIDE = "shipments_anew"
JOURNEY: list[Command] = [creation(), report(Status.PICKED_UP)]


async def written(site: Site, source: Source) -> int:
    """Write the side collection."""
    said = Report(pytest.fail)
    async with opened(site.kafka, site.database, source, said) as sources:
        return await write(sources, SideCollection(site.database, SIDE), said)


async def swapped(site: Site, source: Source) -> Report:
    """Put the side collection in its place."""
    said = Report(lambda _: None)
    side = SideCollection(site.database, SIDE)
    await swap(site.kafka, site.database, side, source, said, site.group)
    return said


async def expired(site: Site) -> None:
    """Let retention remove all that stands in the log."""
    ends = await end_offsets(site.kafka, site.topics.events)
    await forget_records(site.kafka, site.topics.events, below=ends)


async def shipments(site: Site) -> list[Document]:
    """Return all shipments."""
    return await site.database[SHIPMENTS].find(sort=[("_id", 1)]).to_list()


async def epochs_of(site: Site) -> dict[str, int]:
    """Return the epochs of the fences."""
    return {fence["_id"]: fence["epoch"] async for fence in site.database[PARTITION_FENCES].find()}


async def test_a_destroyed_collection_is_restored(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await spend(site, monkeypatch)
    before = await shipments(site)
    await site.database[SHIPMENTS].delete_many({"current_status": {"$ne": "created"}})
    await site.database[SHIPMENTS].update_many({}, {"$set": {"client_id": "somebody"}})
    assert await written(site, Source.AUDIT) == len(before)
    epochs = await epochs_of(site)
    await swapped(site, Source.AUDIT)
    assert await epochs_of(site) == {each: epoch + 1 for each, epoch in epochs.items()}, "zombies are fenced"
    assert await shipments(site) == before
    assert [list(each) for each in await shipments(site)] == [list(each) for each in before]
    indexes = await site.database[SHIPMENTS].index_information()
    assert len(indexes) == 1 + len(INDEXES[SHIPMENTS])
    assert not await SideCollection(site.database, SIDE).exists()
    async with processing(site):
        await site.send([report(status, LAST[0]) for status in ROUTE])
        await site.finished()
    assert (await checked(site))[1] == []

    await site.database[SHIPMENTS].drop()
    assert await written(site, Source.LOG) == len(before)
    await swapped(site, Source.LOG)
    assert (await checked(site, Source.LOG))[1] == []


async def test_a_swap_is_refused(site: Site) -> None:
    with pytest.raises(Refused, match="does not exist"):
        await swapped(site, Source.AUDIT)
    async with processing(site, "alive"):
        await site.send(JOURNEY)
        await site.finished()
        assert await written(site, Source.AUDIT) == 1
        with pytest.raises(Refused, match=f"alive of {site.group} is alive: stop"):
            await swapped(site, Source.AUDIT)
        await site.send([report(Status.IN_WAREHOUSE)])
        await site.finished()
    with pytest.raises(Refused, match="has 4 differences: write it again"):
        await swapped(site, Source.AUDIT)
    with pytest.raises(Refused, match="exists: drop it"):
        await written(site, Source.AUDIT)
    assert (await checked(site))[1] == []


async def test_shipments_lost_by_the_log_are_copied(site: Site) -> None:
    async with processing(site):
        await site.send(JOURNEY)
        await site.finished()
    await expired(site)
    before = await shipments(site)
    assert await written(site, Source.LOG) == 1
    assert (await swapped(site, Source.LOG)).gone == 1
    assert await shipments(site) == before


async def test_what_is_applied_between_comparing_and_swapping_is_not_lost(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with processing(site):
        await site.send(JOURNEY)
        await site.finished()
    await written(site, Source.AUDIT)

    async def slow_check(sources: Sources, source: Source, report_: Report, collection: str) -> None:
        await check(sources, source, report_, collection)
        async with processing(site):
            await site.send([report(Status.IN_WAREHOUSE)])
            await site.finished()

    monkeypatch.setattr(replacement, "check", slow_check)
    with pytest.raises(Refused, match="applied meanwhile"):
        await swapped(site, Source.AUDIT)
    assert [each["version"] for each in await shipments(site)] == [3]
    async with processing(site):
        await site.send([report(Status.IN_TRANSIT)])
        await site.finished()
    assert (await checked(site))[1] == []


async def test_a_stale_copy_of_what_the_log_has_lost_is_refused(site: Site) -> None:
    async with processing(site):
        await site.send(JOURNEY)
        await site.finished()
    await expired(site)
    await written(site, Source.LOG)
    async with processing(site):
        await site.send([report(Status.IN_WAREHOUSE)])
        await site.finished()
    with pytest.raises(Refused, match="differences"):
        await swapped(site, Source.LOG)
    assert [each["version"] for each in await shipments(site)] == [3]


async def test_a_copy_that_is_not_whole_is_refused_even_if_the_log_has_lost_everything(site: Site) -> None:
    async with processing(site):
        await site.send(JOURNEY)
        await site.finished()
    await expired(site)
    await SideCollection(site.database, SIDE).create()
    with pytest.raises(Refused, match="has 1 differences"):
        await swapped(site, Source.LOG)
    assert len(await shipments(site)) == 1


async def test_a_shipment_that_neither_the_log_nor_the_collection_has_is_reported(site: Site) -> None:
    async with processing(site):
        await site.send(JOURNEY)
        await site.finished()
    await expired(site)
    await site.database[SHIPMENTS].drop()
    assert (await checked(site, Source.LOG))[0].differences == 1
    said: list[str] = []
    async with opened(site.kafka, site.database, Source.LOG, Report(said.append)) as sources:
        assert await write(sources, SideCollection(site.database, SIDE), Report(said.append)) == 0
    assert said == [f"{NUMBER}: is missing, and the log no longer tells of its creation"]


async def test_what_was_made_of_the_log_equals_the_audit_log_too(site: Site) -> None:
    async with processing(site):
        await site.send([*JOURNEY, amendment()])
        await site.finished()
    before = await shipments(site)
    await written(site, Source.LOG)
    await swapped(site, Source.LOG)
    assert await shipments(site) == before
    assert (await checked(site))[1] == []


async def test_nothing_is_called_equal_where_nothing_was_applied(site: Site) -> None:
    await site.send(JOURNEY)
    assert (await checked(site, Source.LOG))[1] == [
        "partition_fences: is empty: none of 2 records has been applied"
    ]


async def test_a_processor_that_starts_during_the_swap_is_reported(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with processing(site):
        await site.send(JOURNEY)
        await site.finished()
    await written(site, Source.AUDIT)
    replace = SideCollection.replace_shipments

    async def overtaken(side: SideCollection) -> None:
        await replace(side)
        async with processing(site):
            await site.send([report(Status.IN_WAREHOUSE)])
            await site.finished()

    monkeypatch.setattr(SideCollection, "replace_shipments", overtaken)
    with pytest.raises(Overtaken):
        await swapped(site, Source.AUDIT)
