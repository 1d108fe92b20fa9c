"""Brokers of a Kafka of three killed and frozen under load: in order, nothing lost, nothing twice.

Every test sends all the time while it breaks things; what the log and MongoDB hold in the end is the measure.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

from devstack.home.stack_file import Member
from tests.faults.cluster import BROKERS, Cluster, Traffic, kill_all, three_brokers, traffic
from tests.faults.matrix import Row
from tests.support.fault_table import Recovery
from tests.support.stack import frozen, kill, terminate
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(400)]

SHIPMENTS = 60
"""Enough shipments for each of twelve partitions to have some."""
ASKED_FOR_S = 12.0
OUTAGE_S = 60.0
FLOOD_PER_S = 1200.0
MIB = 1 << 20


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with three_brokers(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@asynccontextmanager
async def survived(cluster: Cluster, name: str) -> AsyncIterator[Traffic]:
    """Send all the time; in the end nothing is lost, twice or out of order, and no service was restarted."""
    serving = cluster.services()
    await cluster.in_sync()
    async with traffic(cluster, name) as sending:
        yield sending
    assert await cluster.violations() == []
    assert cluster.services() == serving


@pytest.mark.fault(Row.LEADER_CHANGE)
async def test_a_leader_that_coordinates_the_processors_too_is_killed(
    cluster: Cluster, recovery: Recovery
) -> None:
    async with survived(cluster, "leader-killed") as sending:
        victim, before = await cluster.coordinator(), await cluster.leaders()
        assert victim in before.values()
        killed_at = time.monotonic()
        await kill_all(cluster, [victim])
        recovery.took(await sending.recovered(killed_at))
        after = await cluster.leaders()

    assert all(after[partition] != victim for partition, leader in before.items() if leader == victim)


@pytest.mark.fault(Row.LEADER_CHANGE)
@pytest.mark.parametrize("restart", [terminate, kill], ids=["in order", "killed"])
async def test_all_brokers_are_restarted_one_after_the_other(
    cluster: Cluster, restart: Callable[..., Member], recovery: Recovery, request: pytest.FixtureRequest
) -> None:
    async with survived(cluster, request.node.name) as sending:
        for index in BROKERS:
            await cluster.in_sync()
            restarted_at = time.monotonic()
            await asyncio.to_thread(restart, cluster.stack, "kafka", index=index)
            recovery.took(await sending.recovered(restarted_at))


@pytest.mark.fault(Row.REPLICAS_MISSING)
async def test_two_of_three_brokers_that_do_not_answer(cluster: Cluster, recovery: Recovery) -> None:
    async with survived(cluster, "two-frozen") as sending:
        numbers = await sending.registered(SHIPMENTS)
        with frozen(cluster.stack, "kafka", indexes=[0, 1]):
            await sending.assert_refused_for(ASKED_FOR_S, numbers, per_s=len(numbers))
            assert await sending.health() == (503, "down")
            returned_at = time.monotonic()
        recovery.took(await sending.recovered(returned_at))


@pytest.mark.fault(Row.REPLICAS_MISSING)
async def test_brokers_that_say_that_replicas_are_missing(cluster: Cluster, recovery: Recovery) -> None:
    """One broker is fenced; the remaining ones are fewer than the log is now configured to need."""
    async with survived(cluster, "too-few") as sending:
        numbers = await sending.registered(SHIPMENTS)
        await cluster.declare(min_insync_replicas="3")
        with frozen(cluster.stack, "kafka", indexes=[2]):
            await cluster.out_of_sync(2)
            await sending.assert_refused_for(ASKED_FOR_S, numbers, per_s=len(numbers))
            await cluster.declare(min_insync_replicas="2")
            returned_at = time.monotonic()
            recovery.took(await sending.recovered(returned_at))


@pytest.mark.fault(Row.BROKERS_DOWN)
async def test_all_brokers_are_killed_at_once(cluster: Cluster, recovery: Recovery) -> None:
    async with survived(cluster, "all-killed") as sending:
        killed_at = time.monotonic()
        await kill_all(cluster, BROKERS)
        recovery.took(await sending.recovered(killed_at))


@pytest.mark.fault(Row.BROKERS_DOWN)
async def test_a_minute_without_brokers_under_load_is_refused_in_time_and_in_little_memory(
    cluster: Cluster, recovery: Recovery
) -> None:
    async with survived(cluster, "a-minute") as sending:
        numbers = await sending.registered(SHIPMENTS)
        before = cluster.resident("ingest-api")
        with frozen(cluster.stack, "kafka", indexes=BROKERS):
            await sending.assert_refused_for(OUTAGE_S, numbers, per_s=FLOOD_PER_S)
            grown = cluster.resident("ingest-api") - before
            returned_at = time.monotonic()
        recovery.took(await sending.recovered(returned_at))

    assert grown < max(30 * MIB, before // 5)


@pytest.mark.fault(Row.PRODUCER_BROKEN)
async def test_batches_that_the_brokers_reject_leave_gaps_in_the_sequence(
    cluster: Cluster, recovery: Recovery
) -> None:
    """The producer counted a batch that the broker rejected for good, so the broker rejects all after it."""
    already = cluster.log_of("ingest-api-1").count("producer_broken")
    async with survived(cluster, "too-large") as sending:
        numbers = await sending.registered(SHIPMENTS)
        await cluster.declare(max_message_bytes="600")
        is_too_large = partial(_is_too_large, sending, numbers)
        await wait_for(is_too_large, timeout_s=40, what="the topic's new bound")
        await cluster.declare()
        returned_at = time.monotonic()
        recovery.took(await sending.recovered(returned_at))

    assert cluster.log_of("ingest-api-1").count("producer_broken") > already


async def _is_too_large(sending: Traffic, numbers: Sequence[str]) -> bool:
    return not await sending.is_accepted(numbers, notes="x" * 500)
