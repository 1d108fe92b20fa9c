"""No broker for a while, under load: ingest-api rejects in time with bounded memory, then recovers."""

from dataclasses import replace

import pytest

from tests.faults.matrix import Row
from tests.support.builders import creation, number
from tests.support.fault_table import Recovery
from tests.support.flood import Flood, while_it_lasts
from tests.support.history import violations
from tests.support.proxy import Proxy
from tests.support.services import Service, service_process
from tests.support.site import Site, processing

pytestmark = [
    pytest.mark.stack,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.fault(Row.BROKERS_DOWN),
]

LANES, BATCH, MAX_IN_FLIGHT = 20, 100, 1000
DEADLINE_S = 5.0
MARGIN_S = 5.0
GROWTH = 64 << 20
SHIPMENTS = [creation(number(index)) for index in range(50)]


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        ("stall", 10),
        pytest.param("cut", 10, marks=pytest.mark.long),
        pytest.param("stall", 60, marks=pytest.mark.long),
        pytest.param("cut", 60, marks=pytest.mark.long),
    ],
)
async def test_without_brokers_every_post_is_rejected_in_time_and_memory_is_bounded(
    site: Site, kafka_proxy: Proxy, recovery: Recovery, fault: str, seconds: int
) -> None:
    await site.send(SHIPMENTS)
    bounded = {"KAFKA_BROKERS": kafka_proxy.address, "INGEST_MAX_IN_FLIGHT": str(MAX_IN_FLIGHT)}
    async with service_process(site, "ingest_api", bounded) as ingest:
        flood = Flood(ingest.url, ingest.token, [each.tracking_number for each in SHIPMENTS])
        async with flood.running(lanes=LANES, batch=BATCH, every_s=1.0):
            await flood.accepted_more(LANES)
            kafka_proxy.cut() if fault == "cut" else kafka_proxy.stall()
            await _refuses_and_does_not_grow(ingest, flood, seconds)
            assert (await ingest.health())[0] == 503
            assert (await ingest.health("/health/live"))[0] == 200
            kafka_proxy.heal()
            with recovery.timed():
                await flood.accepted_more(2 * LANES)
        assert await ingest.is_ready()
        ingest.terminate()
        await ingest.ended()
    async with processing(replace(site, max_batch=500)):
        await site.finished(timeout_s=60)
    assert violations(await site.observed(), flood.sent(SHIPMENTS)) == []


async def _refuses_and_does_not_grow(ingest: Service, flood: Flood, seconds: int) -> None:
    before, refused, accepted = ingest.rss, flood.refused(), flood.responses[202]
    sizes = [before]
    flood.slowest_s = 0.0
    await while_it_lasts(seconds, lambda: sizes.append(ingest.rss))
    assert flood.refused() > refused + LANES
    assert flood.responses[202] <= accepted + LANES  # those that had just been written
    assert (flood.broken, flood.without_hint) == (0, 0)
    assert flood.slowest_s < DEADLINE_S + MARGIN_S
    assert max(sizes) - before < GROWTH, f"{before >> 20} MiB grew to {max(sizes) >> 20}"
