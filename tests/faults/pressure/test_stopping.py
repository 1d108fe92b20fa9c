"""SIGTERM: requests in flight are answered or finished, and the process exits within its bound."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from domain.shipments.status import Status
from storage.mongo.schema import PARTITION_FENCES
from tests.e2e.traffic import event_body
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.api import Json
from tests.support.builders import creation, number
from tests.support.fault_table import Recovery
from tests.support.flood import Flood
from tests.support.history import violations
from tests.support.proxy import Proxy, mongo_uri_of
from tests.support.services import Service, service_process
from tests.support.site import Site, processing
from tests.support.topics import committed_offsets, end_offsets
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(240)]

SHIPMENTS = [creation(number(index)) for index in range(50)]
NUMBERS = [each.tracking_number for each in SHIPMENTS]


@dataclass
class Posts:
    """Posts to one service, each over a connection of its own.

    Attributes:
        begun: set when the service has asked for the body of a post: it is in its hands.
    """

    service: Service
    session: aiohttp.ClientSession
    begun: asyncio.Event

    def begin(self, *, wait_s: int = 0) -> "asyncio.Task[tuple[int, Json]]":
        """Post an event, and wait for its outcome."""
        self.begun.clear()
        return asyncio.create_task(self._post(event_body(NUMBERS[0], Status.PICKED_UP), wait_s))

    async def _post(self, event: Json, wait_s: int) -> tuple[int, Json]:
        headers = {"Authorization": f"Bearer {self.service.token}"}
        if wait_s:
            headers["Prefer"] = f"wait={wait_s}"
        url = f"{self.service.url}/events"
        async with self.session.post(url, json=event, headers=headers, expect100=True) as response:
            return response.status, await response.json()


@asynccontextmanager
async def posting(service: Service) -> AsyncIterator[Posts]:
    begun = asyncio.Event()

    async def note(*_: object) -> None:
        begun.set()

    trace = aiohttp.TraceConfig()
    trace.on_request_chunk_sent.append(note)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, trace_configs=[trace]) as session:
        yield Posts(service, session, begun)


async def listens_no_more(service: Service) -> bool:
    return (await service.health())[0] == 0


async def end_of_log(site: Site) -> int:
    return sum((await end_offsets(site.kafka, site.topics.events)).values())


@pytest.mark.fault(Row.INGEST_STOPPED)
async def test_a_stopped_ingest_api_answers_requests_in_flight_and_waiting_ones(
    site: Site, kafka_proxy: Proxy, recovery: Recovery
) -> None:
    async with (
        service_process(site, "ingest_api", {"KAFKA_BROKERS": kafka_proxy.address}) as ingest,
        posting(ingest) as posts,
    ):
        waiting = posts.begin(wait_s=30)  # nobody applies it
        await wait_for(lambda: _has(site, 1), what="the event that is waited for")
        kafka_proxy.stall()
        in_flight = posts.begin()
        await posts.begun.wait()
        ingest.terminate()
        assert (await asyncio.wait_for(waiting, 10))[0] == 202
        await wait_for(lambda: listens_no_more(ingest), what="a closed door")
        assert not in_flight.done()
        kafka_proxy.heal()
        assert (await in_flight)[0] == 202
        with recovery.timed():
            await ingest.ended()
    assert await end_of_log(site) == 2


async def _has(site: Site, records: int) -> bool:
    return await end_of_log(site) >= records


@pytest.mark.long
@pytest.mark.fault(Row.INGEST_STOPPED)
async def test_an_ingest_api_stopped_while_kafka_is_away_ends_in_time(
    site: Site, kafka_proxy: Proxy, recovery: Recovery
) -> None:
    async with (
        service_process(site, "ingest_api", {"KAFKA_BROKERS": kafka_proxy.address}) as ingest,
        posting(ingest) as posts,
    ):
        kafka_proxy.stall()
        in_flight = posts.begin(wait_s=30)
        await posts.begun.wait()
        ingest.terminate()
        assert (await in_flight)[0] == 503
        recovery.took(await ingest.ended())


@pytest.mark.long
@pytest.mark.fault(Row.INGEST_STOPPED)
async def test_an_ingest_api_stopped_in_a_flood_loses_no_accepted_event(
    site: Site, recovery: Recovery
) -> None:
    await site.send(SHIPMENTS)
    async with (
        service_process(site, "ingest_api") as first,
        service_process(site, "ingest_api") as second,
    ):
        flood = Flood(first.url, first.token, NUMBERS)
        async with flood.running(lanes=20, batch=50, every_s=0.5):
            await flood.accepted_more(20)
            flood.url = second.url
            first.terminate()
            recovery.took(await first.ended())
            await flood.accepted_more(20)
    assert flood.refused() == 0
    async with processing(site):
        await site.finished(timeout_s=60)
    assert violations(await site.observed(), flood.sent(SHIPMENTS)) == []


@pytest.mark.fault(Row.INGEST_STOPPED)
async def test_a_second_sigterm_ends_an_ingest_api_at_once(site: Site, kafka_proxy: Proxy) -> None:
    impatient = {"KAFKA_BROKERS": kafka_proxy.address, "KAFKA_PUBLISH_TIMEOUT_S": "60"}
    async with service_process(site, "ingest_api", impatient) as ingest, posting(ingest) as posts:
        kafka_proxy.stall()
        in_flight = posts.begin()
        await posts.begun.wait()
        ingest.terminate()
        await wait_for(lambda: listens_no_more(ingest), what="a closed door")
        assert not in_flight.done()
        ingest.terminate()
        assert await ingest.ended() < 8  # its patience would be ten
        with pytest.raises(aiohttp.ClientError):
            await in_flight


@pytest.mark.fault(Row.PROCESSOR_STOPPED)
@pytest.mark.parametrize("seats", [(None, None), pytest.param(("a", "b"), marks=pytest.mark.long)])
async def test_a_stopped_processor_commits_and_the_other_continues(
    site: Site, recovery: Recovery, seats: tuple[str | None, str | None]
) -> None:
    """Without a static member id it leaves the group and the other continues at once."""
    day = traffic(200, seed=21)
    async with service_process(site, "processor", seat=seats[0]) as first, AsyncExitStack() as stack:
        await site.send(day[: len(day) // 2])
        await site.recorded(1)
        second = await stack.enter_async_context(service_process(site, "processor", seat=seats[1]))
        await wait_for(lambda: _owned_by_both(site), timeout_s=40, what="a partition for each")
        await site.send(day[len(day) // 2 :])
        first.terminate()
        took_s = await first.ended()
        left = {fence["_id"] async for fence in site.database[PARTITION_FENCES].find()}
        with recovery.timed():
            await wait_for(lambda: _owned_by(site, second, left), timeout_s=30, what="all for the other")
        await site.finished(timeout_s=60)
        await site.committed()
    assert took_s < 20
    assert await site.violations(day) == []


async def _owned_by_both(site: Site) -> bool:
    return len(await site.owners()) == 2


async def _owned_by(site: Site, service: Service, partitions: set[str]) -> bool:
    owners = {fence["_id"]: fence["owner"] async for fence in site.database[PARTITION_FENCES].find()}
    return {owners[each] for each in partitions} == {f"processor-{service.port}"}


@pytest.mark.long
@pytest.mark.fault(Row.PROCESSOR_STOPPED)
@pytest.mark.parametrize("away", ["mongodb", "kafka", "both"])
async def test_a_processor_that_is_stopped_while_a_store_is_away_ends_in_time_and_loses_nothing(
    site: Site, kafka_proxy: Proxy, mongo_proxy: Proxy, recovery: Recovery, away: str
) -> None:
    day = traffic(30, seed=22)
    links = {
        "KAFKA_BROKERS": kafka_proxy.address,
        "MONGO_URI": mongo_uri_of(mongo_proxy),
    }
    async with service_process(site, "processor", links) as processor:
        await site.send(day[:50])
        await site.recorded(1)
        for proxy in {"mongodb": [mongo_proxy], "kafka": [kafka_proxy]}.get(away, [mongo_proxy, kafka_proxy]):
            proxy.stall()
        await site.send(day[50:])
        processor.terminate()
        recovery.took(await processor.ended())
    async with processing(site):
        await site.finished(timeout_s=60)
    assert await site.violations(day) == []


@pytest.mark.long
@pytest.mark.fault(Row.PROCESSOR_STOPPED)
@pytest.mark.parametrize("fault", ["stall", "cut"])
async def test_a_processor_that_waits_for_its_first_kafka_ends_on_sigterm(
    site: Site, kafka_proxy: Proxy, fault: str
) -> None:
    kafka_proxy.cut() if fault == "cut" else kafka_proxy.stall()
    link = {"KAFKA_BROKERS": kafka_proxy.address}
    async with service_process(site, "processor", link, ready=False) as processor:
        await wait_for(lambda: _is_alive(processor), timeout_s=30, what="its health")
        assert (await processor.health())[1] == {
            "database": "ok",
            "cache": "ok",
            "event_queue": "down",
            "partitions": "down",
        }
        processor.terminate()
        await processor.ended()


async def _is_alive(service: Service) -> bool:
    return (await service.health("/health/live"))[0] == 200


@pytest.mark.long
@pytest.mark.fault(Row.PROCESSOR_STOPPED)
async def test_the_last_commit_of_a_processor_is_the_end_of_what_it_applied(site: Site) -> None:
    async with service_process(site, "processor") as processor:
        await site.send(SHIPMENTS)
        await site.finished()
        processor.terminate()
        await processor.ended()
    committed = await committed_offsets(site.kafka, site.group, site.topics.events)
    ends = await end_offsets(site.kafka, site.topics.events)
    assert committed == {partition: end for partition, end in ends.items() if end}
