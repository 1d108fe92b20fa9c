"""Parts of the stack killed or frozen while it works: nothing accepted is lost or applied twice.

What the log holds in the end is the measure (`ledger`): also of events whose sender never got an answer.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain

import aiohttp
import pytest

from domain.shipments.status import Status
from tests.e2e.checks import assert_error, assert_retry_after
from tests.e2e.ledger import assert_matches_log, dead_letters
from tests.e2e.traffic import chunks, event_body, eventful_life, shipment_body
from tests.faults.matrix import Row
from tests.support.api import Api, Json, Response, eventually, open_api
from tests.support.extra_replica import extra_replica
from tests.support.stack import RunningStack, frozen, kill

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(120)]

SHIPMENTS = 20
BATCH = 20
STORES = ("mongod", "redis", "kafka")
PUBLISH_DEADLINE_S = 5.0
CREATION_WAIT_S = 5.0
MARGIN_S = 2.0
RECOVERY_S = 60.0


@dataclass(slots=True)
class Stream:
    """Event-rich lives of many shipments, sent batch after batch until each is accepted."""

    driver: Api
    numbers: Sequence[str]
    accepted: list[str] = field(default_factory=list)
    refused: list[Response] = field(default_factory=list)
    broken: int = 0

    async def send_during(self, fault: Coroutine[None, None, None]) -> None:
        """Send all of it, repeatedly as long as the fault lasts; each shipment in order, all side by side."""
        side_by_side = list(chain.from_iterable(zip(*map(eventful_life, self.numbers), strict=True)))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(fault)
            while True:
                for batch in chunks(side_by_side, BATCH):
                    self.accepted += await eventually(partial(self._try, batch), within_s=RECOVERY_S)
                if task.done():
                    return

    async def _try(self, batch: Sequence[Json]) -> list[str] | None:
        try:
            response = await self.driver.post("/events/batch", {"events": batch})
        except aiohttp.ClientError:
            self.broken += 1
            return None
        if response.status != 202:
            assert_error(response, 503, "SERVICE_UNAVAILABLE")
            assert_retry_after(response)
            self.refused.append(response)
            return None
        return [item["event_id"] for item in response.body["events"]]

    async def under_way(self, share: float) -> None:
        """Wait until about this share of everything is accepted."""
        enough = share * len(self.numbers) * len(eventful_life(self.numbers[0]))

        async def ask() -> bool | None:
            return len(self.accepted) >= enough or None

        await eventually(ask, within_s=RECOVERY_S)


@pytest.fixture
def since() -> datetime:
    """Give a time before anything that the test sends."""
    return datetime.now(UTC) - timedelta(seconds=1)


@pytest.fixture
async def stream(admin: Api, driver: Api, since: datetime) -> Stream:
    del since  # asked for first: it must be earlier than the shipments
    return Stream(driver, await asyncio.gather(*(admin.created(shipment_body()) for _ in range(SHIPMENTS))))


@pytest.fixture(autouse=True)
async def healed(own_stack: RunningStack, admin: Api) -> AsyncIterator[None]:
    """Restore the stack after the test: every part there, every dependency ok, a shipment created at once."""
    yield
    await eventually(lambda: _all_ok(admin, own_stack), within_s=RECOVERY_S)


@pytest.mark.parametrize("share", [0.1, 0.6])
async def test_a_processor_killed_in_a_stream_loses_and_doubles_nothing(
    own_stack: RunningStack, admin: Api, stream: Stream, since: datetime, share: float
) -> None:
    async def fault() -> None:
        await stream.under_way(share)
        await asyncio.to_thread(kill, own_stack, "processor")

    await stream.send_during(fault())

    assert not stream.refused
    await _assert_everything_accepted_has_its_outcome(admin, own_stack, stream, since)


@pytest.mark.fault(Row.PROCESSORS_SCALED)
async def test_a_second_processor_that_joins_and_leaves_changes_nothing(
    own_stack: RunningStack, admin: Api, stream: Stream, since: datetime
) -> None:
    async def scale() -> None:
        await stream.under_way(0.1)
        async with _second_processor(own_stack):
            await stream.under_way(0.9)

    await stream.send_during(scale())

    assert not stream.refused
    await _assert_everything_accepted_has_its_outcome(admin, own_stack, stream, since)


async def test_an_ingest_api_killed_while_it_is_posted_to_costs_a_repetition(
    own_stack: RunningStack, admin: Api, stream: Stream, since: datetime
) -> None:
    async def fault() -> None:
        await stream.under_way(0.4)
        await asyncio.to_thread(kill, own_stack, "ingest-api")

    await stream.send_during(fault())

    assert stream.refused or stream.broken
    await _assert_everything_accepted_has_its_outcome(admin, own_stack, stream, since)


async def test_a_mongod_that_is_killed_delays_what_was_accepted_and_kills_no_event(
    own_stack: RunningStack, admin: Api, stream: Stream, since: datetime
) -> None:
    async def fault() -> None:
        await stream.under_way(0.3)
        await asyncio.to_thread(kill, own_stack, "mongod")

    await stream.send_during(fault())

    assert not stream.refused  # ingest never touches MongoDB
    await _assert_everything_accepted_has_its_outcome(admin, own_stack, stream, since)


async def test_a_redis_that_hangs_costs_no_event_and_little_time(
    own_stack: RunningStack, admin: Api, nobody: Api, stream: Stream, since: datetime
) -> None:
    with frozen(own_stack, "redis"):
        await stream.send_during(stream.under_way(1.0))
        started = time.monotonic()
        response = await admin.create(shipment_body())
        assert time.monotonic() - started < CREATION_WAIT_S + MARGIN_S
        health = await nobody.get("/health")
        await _assert_everything_accepted_has_its_outcome(admin, own_stack, stream, since)

    assert not stream.refused
    assert response.status == 202
    assert response.headers["Location"] == f"/events/{response.body['event_id']}"
    assert (await admin.outcome(response.body["event_id"]))["outcome"] == "applied"
    assert (health.status, health.body["checks"]["cache"]) == (200, "degraded")
    assert health.body["checks"] | {"cache": "ok"} == dict.fromkeys(health.body["checks"], "ok")


@pytest.mark.fault(Row.BROKERS_DOWN)
async def test_a_kafka_that_hangs_is_reported_in_time_and_retries_converge(
    own_stack: RunningStack, admin: Api, driver: Api, nobody: Api, since: datetime
) -> None:
    number = await admin.created(shipment_body())
    event, single = event_body(number, Status.PICKED_UP), event_body(number, Status.IN_WAREHOUSE)
    pids = _pids(own_stack)
    with frozen(own_stack, "kafka"):
        started = time.monotonic()
        responses = await asyncio.gather(
            driver.post("/events", event), driver.post("/events/batch", {"events": [event]})
        )
        assert time.monotonic() - started < PUBLISH_DEADLINE_S + MARGIN_S
        for response in responses:
            assert_error(response, 503, "SERVICE_UNAVAILABLE")
            assert_retry_after(response)
        health = await nobody.get("/health")
        assert (health.status, health.body["checks"]["event_queue"]) == (503, "down")

    await eventually(lambda: _accepted(driver, event), within_s=RECOVERY_S)
    event_id = await eventually(lambda: _accepted(driver, single), within_s=RECOVERY_S)
    await driver.outcome(event_id, within_s=RECOVERY_S)
    await assert_matches_log(admin, own_stack.kafka_brokers, [number], since=since)
    assert (await admin.shipment(number))["current_status"] == "in_warehouse"
    assert _pids(own_stack) == pids


@pytest.mark.fault(Row.BROKERS_DOWN)
async def test_a_kafka_that_is_killed_loses_nothing_and_needs_no_restart_of_others(
    own_stack: RunningStack, admin: Api, stream: Stream, since: datetime
) -> None:
    pids = _pids(own_stack)

    async def fault() -> None:
        await stream.under_way(0.3)
        await asyncio.to_thread(kill, own_stack, "kafka")

    await stream.send_during(fault())

    # Refused or only late: a broker that is back soon takes what was posted meanwhile.
    await _assert_everything_accepted_has_its_outcome(admin, own_stack, stream, since)
    assert _pids(own_stack) == pids


async def _assert_everything_accepted_has_its_outcome(
    admin: Api, stack: RunningStack, stream: Stream, since: datetime
) -> None:
    ledger = await assert_matches_log(
        admin, stack.kafka_brokers, stream.numbers, since=since, within_s=RECOVERY_S
    )
    known = {event_id for life in ledger.values() for event_id in life.events}
    assert set(stream.accepted) <= known
    assert {life.status for life in ledger.values()} == {Status.DELIVERED}
    assert await dead_letters(stack.kafka_brokers, stream.numbers, since=since) == []


@asynccontextmanager
async def _second_processor(stack: RunningStack) -> AsyncIterator[None]:
    """Run one more processor, which has partitions when the block begins and stops cleanly at its end."""
    with extra_replica(stack, "processor", "processor-beside") as (process, port):
        await eventually(lambda: _is_ready(f"http://127.0.0.1:{port}"), within_s=RECOVERY_S)
        yield
        process.terminate()
        assert await asyncio.to_thread(process.wait, RECOVERY_S) == 0


def _pids(stack: RunningStack) -> dict[str, list[int]]:
    """Return the processes of the services, not of the stores."""
    return {
        group: [member.pid for member in members]
        for group, members in stack.members().items()
        if group not in STORES
    }


async def _accepted(driver: Api, event: Json) -> str | None:
    response = await driver.post("/events", event)
    return response.body["event_id"] if response.status == 202 else None


async def _all_ok(admin: Api, stack: RunningStack) -> bool | None:
    """Return whether everything works: by its health, and by a request."""
    health = await admin.get("/health")
    if health.status != 200 or set(health.body["checks"].values()) != {"ok"}:
        return None
    for member in (*stack.members()["processor"], *stack.members()["ingest-api"]):
        if not await _is_ready(f"http://127.0.0.1:{member.port}"):
            return None
    return (await admin.create(shipment_body())).status == 201 or None


async def _is_ready(url: str) -> bool | None:
    try:
        async with open_api(url) as api:
            return (await api.get("/health/ready")).status == 200 or None
    except aiohttp.ClientError:
        return None
