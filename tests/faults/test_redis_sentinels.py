"""Redis behind Sentinels, broken under load: it is a hint, so nothing is lost, twice, or refused.

Every test sends all the time. What the log and MongoDB hold in the end is the measure, and every response.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from devstack.home.stack_file import Member
from tests.faults.cluster import Cluster, Traffic, redis_sentinels, traffic
from tests.faults.matrix import Row
from tests.support.fault_table import Recovery
from tests.support.redis_roles import ask, fail_over, primary_of
from tests.support.stack import frozen, kill
from tests.support.waiting import wait_for, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(400)]

SETTLED_WITHIN_S = 40.0
OUTAGE_S = 8.0
_REFUSED = re.compile(r"401|403|429|5\d\d")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with redis_sentinels(tmp_path_factory.mktemp("sentinels")) as running:
        yield running


@asynccontextmanager
async def survived(cluster: Cluster, name: str) -> AsyncIterator[Traffic]:
    """Send all the time; nothing is lost, twice, out of order or refused, and no service was restarted."""
    serving = cluster.services()
    await wait_for(lambda: is_settled(cluster), timeout_s=SETTLED_WITHIN_S, what="a primary with its replica")
    async with traffic(cluster, name) as sending:
        yield sending
    assert await cluster.violations() == []
    assert cluster.services() == serving
    refused = {call: times for call, times in cluster.ledger.calls.items() if _REFUSED.search(call[1])}
    assert refused == {}, "Redis is a hint: without it nobody is refused"


async def is_settled(cluster: Cluster) -> bool:
    """Return whether the primary has its replica, in step."""
    primary = await asyncio.to_thread(lambda: servers(cluster)[primary_of(cluster.stack)])
    role, offset, replicas = await asyncio.to_thread(ask, primary, "ROLE")
    return role == b"master" and any(offset - int(seen) < 100_000 for _, _, seen in replicas)


def servers(cluster: Cluster) -> tuple[Member, ...]:
    return cluster.stack.members()["redis"]


async def promoted(cluster: Cluster, before: int) -> None:
    """Wait until the Sentinels name another primary."""
    await wait_until(
        lambda: primary_of(cluster.stack) != before, timeout_s=SETTLED_WITHIN_S, what="another primary"
    )


@pytest.mark.fault(Row.REDIS_FAILED_OVER)
async def test_an_operator_promotes_the_replica(cluster: Cluster, recovery: Recovery) -> None:
    async with survived(cluster, "promoted") as sending:
        before, promoted_at = primary_of(cluster.stack), time.monotonic()
        assert fail_over(cluster.stack)
        await promoted(cluster, before)
        recovery.took(await sending.recovered(promoted_at))


@pytest.mark.fault(Row.REDIS_FAILED_OVER)
async def test_the_primary_falls_silent_and_is_lost(cluster: Cluster, recovery: Recovery) -> None:
    async with survived(cluster, "silent") as sending:
        before, silent_at = primary_of(cluster.stack), time.monotonic()
        with frozen(cluster.stack, "redis", indexes=[before]):
            await promoted(cluster, before)
            recovery.took(await sending.recovered(silent_at))
            await asyncio.to_thread(kill, cluster.stack, "redis", index=before)
        await wait_for(
            lambda: is_settled(cluster), timeout_s=SETTLED_WITHIN_S, what="the old one as a replica"
        )
        assert primary_of(cluster.stack) != before


@pytest.mark.fault(Row.REDIS_FAILED_OVER)
async def test_a_primary_that_was_silent_for_a_while_comes_back_as_a_replica(
    cluster: Cluster, recovery: Recovery
) -> None:
    async with survived(cluster, "back") as sending:
        before = primary_of(cluster.stack)
        with frozen(cluster.stack, "redis", indexes=[before]):
            await promoted(cluster, before)
        back_at = time.monotonic()
        recovery.took(await sending.recovered(back_at))


@pytest.mark.fault(Row.REDIS_FAILED_OVER)
async def test_a_replica_that_is_far_behind_is_promoted(cluster: Cluster, recovery: Recovery) -> None:
    async with survived(cluster, "behind") as sending:
        before = primary_of(cluster.stack)
        [replica] = {0, 1} - {before}
        await asyncio.to_thread(ask, servers(cluster)[replica], "REPLICAOF", "127.0.0.1", 1)
        await sending.registered(200)
        lost_at = time.monotonic()
        with frozen(cluster.stack, "redis", indexes=[before]):
            await promoted(cluster, before)
            recovery.took(await sending.recovered(lost_at))


@pytest.mark.fault(Row.REDIS_AWAY)
async def test_the_primary_is_killed_and_restarted_before_anybody_is_promoted(
    cluster: Cluster, recovery: Recovery
) -> None:
    async with survived(cluster, "killed") as sending:
        killed_at = time.monotonic()
        await asyncio.to_thread(kill, cluster.stack, "redis", index=primary_of(cluster.stack))
        recovery.took(await sending.recovered(killed_at))


@pytest.mark.fault(Row.REDIS_REFUSES)
async def test_the_primary_is_out_of_memory(cluster: Cluster, recovery: Recovery) -> None:
    async with survived(cluster, "out-of-memory") as sending:
        primary = servers(cluster)[primary_of(cluster.stack)]
        await asyncio.to_thread(ask, primary, "CONFIG SET", "maxmemory", 1)
        await asyncio.sleep(OUTAGE_S)
        await asyncio.to_thread(ask, primary, "CONFIG SET", "maxmemory", 0)
        recovery.took(await sending.recovered(time.monotonic()))


@pytest.mark.fault(Row.REDIS_REFUSES)
async def test_the_only_server_is_a_replica(cluster: Cluster, recovery: Recovery) -> None:
    """Both are replicas for a while, as after a fail-over by hand that went wrong."""
    async with survived(cluster, "read-only") as sending:
        primary, other = primary_of(cluster.stack), 1 - primary_of(cluster.stack)
        nodes = servers(cluster)
        await asyncio.to_thread(ask, nodes[primary], "REPLICAOF", "127.0.0.1", nodes[other].port)
        await asyncio.sleep(OUTAGE_S)
        await asyncio.to_thread(ask, nodes[primary], "REPLICAOF", "NO", "ONE")
        recovery.took(await sending.recovered(time.monotonic()))


@pytest.mark.fault(Row.REDIS_MOVED)
async def test_scripts_are_flushed(cluster: Cluster, recovery: Recovery) -> None:
    async with survived(cluster, "flushed") as sending:
        flushed_at = time.monotonic()
        for _ in range(20):
            await asyncio.to_thread(ask, servers(cluster)[primary_of(cluster.stack)], "SCRIPT FLUSH")
            await asyncio.sleep(0.1)
        recovery.took(await sending.recovered(flushed_at))
