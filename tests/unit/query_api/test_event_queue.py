"""`event_queue` of `/health`: events are accepted and applied."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from domain.errors import StoreUnavailable
from domain.processing.halts import Halt
from httpkit.server.health import State
from query_api.event_queue import EventQueue, IngestApis, Watched
from tests.support.builders import NOON, ends_at
from tests.support.fakes import (
    Documents,
    FixedClock,
    InMemoryPartitionControl,
    InMemoryPartitionStateStore,
    InMemoryShipmentStore,
)

TOPIC = "shipments.events"
LIMIT_S = 30.0


@dataclass
class Log:
    """Kafka, as far as the health check uses it."""

    trouble: str | None = None
    overdue: list[str] = field(default_factory=list)
    group: int = 1
    asked: list[tuple[Mapping[str, int], datetime]] = field(default_factory=list)
    asked_for_members: int = 0

    async def obstacle(self, topic: str) -> str | None:
        assert topic == TOPIC
        return self.trouble

    async def members(self) -> int:
        self.asked_for_members += 1
        return self.group

    async def waiting(self, applied: Mapping[str, int], *, since: datetime) -> list[str]:
        self.asked.append((applied, since))
        return self.overdue


@dataclass
class QueueHarness:
    queue: EventQueue
    log: Log
    documents: Documents
    partitions: InMemoryPartitionControl
    now: list[float]


@pytest.fixture
async def harness() -> AsyncIterator[QueueHarness]:
    log, documents, now = Log(), Documents(), [1000.0]
    partitions = InMemoryPartitionControl(documents, TOPIC)
    async with aiohttp.ClientSession() as session:
        watched = Watched(
            topic=TOPIC, ingest=IngestApis(session, ()), probe=log, backlog=log, partitions=partitions
        )
        queue = EventQueue(watched, FixedClock(), limit_s=LIMIT_S, monotonic=lambda: now[0])
        yield QueueHarness(queue, log, documents, partitions, now)


async def owned(harness: QueueHarness, number: int) -> InMemoryPartitionStateStore:
    await InMemoryShipmentStore(harness.documents).acquire(
        f"{TOPIC}/{number}", owner="p", end_offset=ends_at(0)
    )
    return InMemoryPartitionStateStore(harness.documents)


async def test_an_idle_system_is_ok_and_what_is_applied_is_compared_with_the_log(
    harness: QueueHarness,
) -> None:
    await owned(harness, 2)
    assert await harness.queue.state() is State.OK
    assert harness.log.asked == [({f"{TOPIC}/2": 0}, NOON - timedelta(seconds=LIMIT_S))]


async def test_an_event_that_waits_too_long_is_down(harness: QueueHarness) -> None:
    harness.log.overdue = [f"{TOPIC}/3", f"{TOPIC}/7"]
    assert await harness.queue.state() is State.DOWN
    harness.log.overdue = []
    assert await harness.queue.state() is State.OK


async def test_a_log_that_cannot_be_appended_to_is_down(harness: QueueHarness) -> None:
    harness.log.trouble = "partition 0 waits for broker 2"
    assert await harness.queue.state() is State.DOWN


async def test_a_halted_partition_is_down_even_with_nothing_in_it(harness: QueueHarness) -> None:
    state = await owned(harness, 4)
    fence = harness.documents.fences[f"{TOPIC}/4"]
    await state.note_halt(fence, Halt("a hundred dead letters", NOON))
    assert await harness.queue.state() is State.DOWN
    await state.note_halt(fence, None)
    assert await harness.queue.state() is State.OK


async def test_unavailable_database_is_down(harness: QueueHarness) -> None:
    harness.partitions.fail_next("partitions", StoreUnavailable("MongoDB is away"))
    assert await harness.queue.state() is State.DOWN
    assert await harness.queue.state() is State.OK


async def test_group_without_members_is_down_after_the_limit(harness: QueueHarness) -> None:
    assert await harness.queue.state() is State.OK
    harness.log.group = 0
    for after_s, expected in ((6, State.OK), (29, State.OK), (1, State.DOWN), (60, State.DOWN)):
        harness.now[0] += after_s
        assert await harness.queue.state() is expected, after_s
    harness.log.group = 1
    harness.now[0] += 1
    assert await harness.queue.state() is State.OK


async def test_restart_is_not_an_absence_after_a_long_time_without_probes(harness: QueueHarness) -> None:
    assert await harness.queue.state() is State.OK
    harness.log.group = 0
    harness.now[0] += 3_600
    assert await harness.queue.state() is State.OK
    harness.now[0] += 1
    assert await harness.queue.state() is State.OK
    harness.log.group = 1
    harness.now[0] += 1
    assert await harness.queue.state() is State.OK
    harness.log.group = 0
    harness.now[0] += LIMIT_S
    assert await harness.queue.state() is State.OK  # another absence, which begins now


async def test_empty_group_is_polled_each_second(harness: QueueHarness) -> None:
    harness.log.group = 0
    for _ in range(6):
        await harness.queue.state()
        harness.now[0] += 0.5
    assert harness.log.asked_for_members == 3


async def test_empty_group_at_the_first_probe_counts_from_the_start(harness: QueueHarness) -> None:
    harness.log.group = 0
    harness.now[0] += 3_600
    assert await harness.queue.state() is State.DOWN


async def test_members_are_not_polled_at_each_probe(harness: QueueHarness) -> None:
    for _ in range(6):
        await harness.queue.state()
        harness.now[0] += 1
    assert harness.log.asked_for_members == 2


@asynccontextmanager
async def replica(status: int) -> AsyncIterator[str]:
    async def ready(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/health/ready", ready)
    async with TestServer(app) as server:
        yield f"{server.host}:{server.port}"


@pytest.mark.parametrize(
    ("statuses", "is_taken"), [([200], True), ([503, 200], True), ([503], False), ([503, 503], False)]
)
async def test_one_replica_that_is_ready_is_enough(statuses: list[int], *, is_taken: bool) -> None:
    async with AsyncExitStack() as stack:
        upstreams = [await stack.enter_async_context(replica(status)) for status in statuses]
        upstreams.append(f"127.0.0.1:{unused_port()}")
        session = await stack.enter_async_context(aiohttp.ClientSession())
        assert (await IngestApis(session, upstreams).obstacle() is None) is is_taken


async def test_no_replica_is_probed_if_none_is_configured() -> None:
    async with aiohttp.ClientSession() as session:
        assert await IngestApis(session, ()).obstacle() is None
