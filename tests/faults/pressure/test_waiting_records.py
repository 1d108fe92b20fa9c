"""Records that wait for MongoDB wait in the log, not in the processor."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.shipments.status import Status
from tests.faults.matrix import Row
from tests.support.builders import NOON, creation, number, report
from tests.support.fault_table import Recovery
from tests.support.flood import while_it_lasts
from tests.support.proxy import Proxy, mongo_uri_of
from tests.support.services import service_process
from tests.support.site import Site

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(500)]

WAITING = 50_000
WATCHED_S = 10
GROWTH = 64 << 20


@pytest.mark.fault(Row.MONGO_AWAY, Row.OVERLOAD)
async def test_a_processor_holds_little_while_mongodb_is_away_and_the_topic_fills(
    site: Site, mongo_proxy: Proxy, recovery: Recovery
) -> None:
    site = replace(site, max_batch=500)
    # Not at import: every process of a test run imports this file.
    shipments = [creation(number(index)) for index in range(100)]
    reports = [
        report(Status.PICKED_UP, number(index % 100), at=NOON + timedelta(milliseconds=index))
        for index in range(WAITING)
    ]
    link = {"MONGO_URI": mongo_uri_of(mongo_proxy)}
    async with service_process(site, "processor", link) as processor:
        await site.send(shipments)
        await site.finished()
        sizes = [processor.rss]
        mongo_proxy.stall()
        await site.send(reports)
        await while_it_lasts(WATCHED_S, lambda: sizes.append(processor.rss))
        assert max(sizes) - sizes[0] < GROWTH
        assert (await processor.health())[0] == 503
        mongo_proxy.heal()
        with recovery.timed():
            await site.finished(timeout_s=300)
    assert await site.violations([*shipments, *reports]) == []
