"""MongoDB and Redis that hang, break off or lose their responses while the processor works."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import replace

import pytest
from pymongo.errors import AutoReconnect
from redis.asyncio import Redis

from storage.mongo.schema import STATUS_EVENTS
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.fault_table import Recovery
from tests.support.proxy import Proxy, mongo_uri_of
from tests.support.site import Site, processing
from tests.support.stack import RunningStack
from tests.support.topics import read_topic
from tests.support.waiting import wait_until

pytestmark = pytest.mark.stack


def behind(site: Site, redis: Proxy | None = None, mongo: Proxy | None = None) -> Site:
    """Return the site as a processor sees it whose stores are behind proxies."""
    if redis is not None:
        site = replace(site, redis=site.redis.model_copy(update={"address": redis.address}))
    if mongo is not None:
        patience = {"timeout_s": 0.6, "server_selection_timeout_s": 0.3}
        site = replace(site, mongo=site.mongo.model_copy(update={"uri": mongo_uri_of(mongo), **patience}))
    return site


@pytest.mark.fault(Row.REDIS_AWAY)
@pytest.mark.parametrize("fault", ["cut", "stall"])
async def test_without_redis_all_is_as_correct_as_with_it(site: Site, redis_proxy: Proxy, fault: str) -> None:
    day = traffic(40, seed=9)
    third = len(day) // 3
    async with processing(behind(site, redis=redis_proxy)):
        await site.send(day[:third])
        await site.recorded(third // 2)
        redis_proxy.cut() if fault == "cut" else redis_proxy.stall()
        await site.send(day[third : 2 * third])
        await site.finished()
        redis_proxy.heal()
        await site.send(day[2 * third :])
        await site.finished()
    assert await site.violations(day) == []


@pytest.mark.fault(Row.REDIS_AWAY, Row.DUPLICATES)
async def test_a_filter_that_forgets_everything_loses_no_count(site: Site, redis_client: Redis) -> None:
    day = traffic(20, seed=10)
    async with processing(site):
        await site.send(day)
        await site.finished()
        await redis_client.flushdb()
        await site.send(day)
        await site.finished()
    assert await site.violations([*day, *day]) == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("cut", marks=pytest.mark.fault(Row.MONGO_AWAY)),
        pytest.param("stall", marks=pytest.mark.fault(Row.MONGO_AWAY)),
        pytest.param("answers lost", marks=pytest.mark.fault(Row.MONGO_ANSWER_LOST)),
    ],
)
async def test_a_mongodb_that_goes_and_comes_back_costs_nothing_but_time(
    site: Site, mongo_proxy: Proxy, fault: str, recovery: Recovery
) -> None:
    day = traffic(60, seed=11)
    fifth = len(day) // 5
    async with processing(behind(site, mongo=mongo_proxy)):
        for turn in range(5):
            async with wounded(mongo_proxy, fault) if turn % 2 else nullcontext():
                await site.send(day[turn * fifth : (turn + 1) * fifth])
        await site.send(day[5 * fifth :])
        with recovery.timed():
            await site.finished()
    assert await site.violations(day) == []
    assert await read_topic(site.kafka, site.topics.dead_letters) == [], (
        "an outage is no reason to dead-letter records"
    )


@pytest.mark.fault(Row.MONGO_AWAY)
async def test_a_primary_that_steps_down_is_waited_for_until_there_is_one_again(
    site: Site, own_stack: RunningStack, recovery: Recovery
) -> None:
    del own_stack  # asked for: nobody else's primary is to step down
    day = traffic(60, seed=13)
    half = len(day) // 2
    async with processing(site):
        await site.send(day[:half])
        await site.recorded(20)
        with suppress(AutoReconnect):
            await site.database.client.admin.command("replSetStepDown", 2, force=True)
        await site.send(day[half:])
        with recovery.timed():
            await site.finished(timeout_s=40)
    assert await site.violations(day) == []
    assert await read_topic(site.kafka, site.topics.dead_letters) == []


@asynccontextmanager
async def wounded(proxy: Proxy, fault: str) -> AsyncIterator[None]:
    """Inject a fault until what is sent meanwhile has met it; a lost response's request was executed."""
    seen = proxy.connections
    if fault == "cut":
        proxy.cut()
    else:
        proxy.stall(answers_only=fault == "answers lost")
    yield
    await wait_until(lambda: proxy.connections > seen, timeout_s=20, what="somebody to try again")
    if fault == "answers lost":
        proxy.cut()
    proxy.heal()


@pytest.mark.fault(Row.MONGO_ANSWER_LOST)
async def test_nothing_is_recorded_twice_by_a_processor_whose_commits_are_never_heard_of(
    site: Site, mongo_proxy: Proxy
) -> None:
    day = traffic(10, seed=12)
    async with processing(behind(site, mongo=mongo_proxy)):
        await site.send(day[:5])
        await site.recorded(1)
        mongo_proxy.stall(answers_only=True)
        await site.send(day[5:])
        seen = mongo_proxy.connections
        await wait_until(lambda: mongo_proxy.connections > seen + 3, timeout_s=20, what="new connections")
        mongo_proxy.cut()
        mongo_proxy.heal()
        await site.finished()
    assert await site.violations(day) == []
    assert await site.database[STATUS_EVENTS].count_documents({"attempts": {"$gt": 10}}) == 0
