"""`check` on real servers: equal after a day of all that can happen, while it lasts, and after retention."""

import asyncio

import pytest

from domain.shipments.commands import Command
from storage.mongo.schema import SHIPMENTS
from tests.integration.processor.traffic import traffic
from tests.integration.rebuilding.day import LAST, SHIPMENTS_OF_A_DAY, checked, spend
from tests.support.builders import ROUTE, report
from tests.support.site import Site, processing
from tests.support.topics import end_offsets, forget_records
from tests.support.waiting import wait_for
from toolbox.rebuild.comparison import Source

pytestmark = pytest.mark.stack


async def test_a_day_can_be_rebuilt_and_expired_records_are_reported(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spend(site, monkeypatch)
    for source in Source:
        day, said = await checked(site, source)
        assert said == []
        assert day.shipments == SHIPMENTS_OF_A_DAY
        assert day.events > day.shipments
        assert day.gone == 0

    events = site.topics.events
    ends = await end_offsets(site.kafka, events)
    await forget_records(site.kafka, events, below={each: end * 2 // 3 for each, end in ends.items()})
    later, said = await checked(site)
    assert said == []
    assert 0 < later.gone < later.shipments == day.shipments
    assert later.records < day.records

    await forget_records(site.kafka, events, below=ends)
    async with processing(site):
        await site.send([report(status, LAST[0]) for status in ROUTE])
        await site.finished()
    end, said = await checked(site)
    assert said == []
    assert end.gone == end.shipments == day.shipments


async def test_a_check_is_exact_while_events_are_applied(site: Site) -> None:
    day = traffic(60, seed=8)
    seen = set()
    async with processing(site):
        await wait_for(site.is_owned, timeout_s=20, what="an owner")
        sending = asyncio.create_task(_send(site, [day[at : at + 20] for at in range(0, len(day), 20)]))
        while not sending.done():
            now, said = await checked(site)
            assert said == []
            seen.add(now.events)
        await sending
        await site.finished()
    end, said = await checked(site)
    assert said == []
    assert end.shipments == await site.database[SHIPMENTS].count_documents({})
    assert len(seen | {end.events}) > 1, "it was looked at while it moved"


async def _send(site: Site, chunks: list[list[Command]]) -> None:
    for chunk in chunks:
        await site.send(chunk)
