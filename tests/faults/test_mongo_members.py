"""Members of a MongoDB of three killed, frozen and stepped down under load: nothing lost, nothing twice.

Every test sends all the time while it breaks things; what the log and MongoDB hold in the end is the measure.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager

import pytest

from tests.faults.cluster import Cluster, Traffic, three_members, traffic
from tests.faults.matrix import Row
from tests.support.fault_table import Recovery
from tests.support.replica_set import is_in_step, primary_of, step_down
from tests.support.stack import frozen, kill
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(400)]

MEMBERS = range(3)
SETTLED_WITHIN_S = 60.0
BEHIND_S = 20.0
OUTAGE_S = 20.0
SHIPMENTS = 20


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with three_members(tmp_path_factory.mktemp("members")) as running:
        yield running


@asynccontextmanager
async def survived(cluster: Cluster, name: str) -> AsyncIterator[Traffic]:
    """Send all the time; in the end nothing is lost, twice or out of order, and no service was restarted."""
    serving = cluster.services()
    await in_step(cluster)
    async with traffic(cluster, name) as sending:
        yield sending
    await in_step(cluster)
    assert await cluster.violations() == []
    assert cluster.services() == serving


async def in_step(cluster: Cluster) -> None:
    await wait_for(
        lambda: is_in_step(cluster.stack), timeout_s=SETTLED_WITHIN_S, what="a primary with its secondaries"
    )


async def primary(cluster: Cluster) -> int:
    found = await primary_of(cluster.stack)
    assert found is not None
    return found


def others(index: int) -> list[int]:
    return [each for each in MEMBERS if each != index]


@pytest.mark.fault(Row.PRIMARY_GONE)
async def test_the_primary_is_killed(cluster: Cluster, recovery: Recovery) -> None:
    async with survived(cluster, "primary-killed") as sending:
        victim, killed_at = await primary(cluster), time.monotonic()
        await asyncio.to_thread(kill, cluster.stack, "mongod", index=victim)
        recovery.took(await sending.recovered(killed_at))


@pytest.mark.fault(Row.PRIMARY_GONE)
async def test_the_primary_steps_down(cluster: Cluster, recovery: Recovery) -> None:
    async with survived(cluster, "stepped-down") as sending:
        before, stepped_at = await primary(cluster), time.monotonic()
        await step_down(cluster.stack, 30)
        recovery.took(await sending.recovered(stepped_at))
        assert await primary(cluster) != before


@pytest.mark.fault(Row.PRIMARY_GONE)
async def test_a_frozen_primary_is_replaced_and_loses_nothing_when_it_resumes(
    cluster: Cluster, recovery: Recovery
) -> None:
    """Its connections stay open: what was in flight on them waits for its own timeout."""
    async with survived(cluster, "primary-frozen") as sending:
        victim, frozen_at = await primary(cluster), time.monotonic()
        with frozen(cluster.stack, "mongod", indexes=[victim]):
            recovery.took(await sending.recovered(frozen_at))
            assert await primary(cluster) != victim
        recovery.took(await sending.recovered(time.monotonic()))


@pytest.mark.fault(Row.PRIMARY_GONE)
async def test_the_primary_is_lost_while_a_secondary_is_far_behind(
    cluster: Cluster, recovery: Recovery
) -> None:
    """The one that is behind has to get from the other what was acknowledged without it."""
    async with survived(cluster, "far-behind") as sending:
        victim = await primary(cluster)
        with ExitStack() as lost:
            with frozen(cluster.stack, "mongod", indexes=others(victim)[:1]):
                await asyncio.sleep(BEHIND_S)
                assert await primary(cluster) == victim, "a secondary that is away changes nothing"
                lost.enter_context(frozen(cluster.stack, "mongod", indexes=[victim]))
            recovery.took(await sending.recovered(time.monotonic()))
            assert await primary(cluster) != victim


@pytest.mark.fault(Row.MAJORITY_GONE)
@pytest.mark.parametrize("is_primary_left", [True, False], ids=["the primary is left", "a secondary is left"])
async def test_a_majority_is_away_and_back(
    cluster: Cluster, recovery: Recovery, request: pytest.FixtureRequest, *, is_primary_left: bool
) -> None:
    async with survived(cluster, request.node.name) as sending:
        numbers = await sending.registered(SHIPMENTS)
        now = await primary(cluster)
        await in_step(cluster)
        away = others(now) if is_primary_left else [now, others(now)[0]]
        with frozen(cluster.stack, "mongod", indexes=away):
            until = time.monotonic() + OUTAGE_S
            await wait_for(lambda: is_down(sending), timeout_s=OUTAGE_S, what="a set without a primary")
            await wait_for(
                lambda: is_shown(sending, numbers[0]), timeout_s=OUTAGE_S, what="a shipment, of the one left"
            )
            assert await sending.is_accepted(numbers), "the log takes events"
            while time.monotonic() < until:
                assert await is_shown(sending, numbers[-1])
                await asyncio.sleep(0.5)
        recovery.took(await sending.recovered(time.monotonic()))


async def is_down(sending: Traffic) -> bool:
    response = await sending.admin.get("/health")
    return response.status == 503 and response.body["checks"]["database"] == "down"


async def is_shown(sending: Traffic, number: str) -> bool:
    return (await sending.admin.get(f"/shipments/{number}")).status == 200


@pytest.mark.fault(Row.MAJORITY_GONE)
async def test_all_members_are_killed_at_once(cluster: Cluster, recovery: Recovery) -> None:
    async with survived(cluster, "all-killed") as sending:
        killed_at = time.monotonic()
        await asyncio.gather(
            *(asyncio.to_thread(kill, cluster.stack, "mongod", index=index) for index in MEMBERS)
        )
        recovery.took(await sending.recovered(killed_at))
