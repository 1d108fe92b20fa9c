"""MongoDB and Redis that hang, break off or swallow their answers while the processor works."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from storage.schema import STATUS_EVENTS
from tests.integration.processor.traffic import traffic
from tests.support.proxy import Proxy
from tests.support.site import Site, processing
from tests.support.topics import read_topic
from tests.support.waiting import wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
async def redis_proxy(site: Site) -> AsyncIterator[Proxy]:
    async with Proxy(site.redis.address).running() as proxy:
        yield proxy


@pytest.fixture
async def mongo_proxy(site: Site) -> AsyncIterator[Proxy]:
    address = site.mongo.uri.removeprefix("mongodb://").partition("/")[0]
    async with Proxy(address).running() as proxy:
        yield proxy


def behind(site: Site, redis: Proxy | None = None, mongo: Proxy | None = None) -> Site:
    """Return the site as a processor sees it whose stores are behind proxies."""
    if redis is not None:
        site = replace(site, redis=site.redis.model_copy(update={"address": redis.address}))
    if mongo is not None:
        patience = {"timeout_s": 0.6, "server_selection_timeout_s": 0.3}
        uri = f"mongodb://{mongo.address}/?directConnection=true"
        site = replace(site, mongo=site.mongo.model_copy(update={"uri": uri, **patience}))
    return site


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


async def test_a_filter_that_forgets_everything_loses_no_count(site: Site, redis_client: Redis) -> None:
    day = traffic(20, seed=10)
    async with processing(site):
        await site.send(day)
        await site.finished()
        await redis_client.flushdb()
        await site.send(day)
        await site.finished()
    assert await site.violations([*day, *day]) == []


@pytest.mark.parametrize("fault", ["cut", "stall", "answers lost"])
async def test_a_mongodb_that_goes_and_comes_back_costs_nothing_but_time(
    site: Site, mongo_proxy: Proxy, fault: str
) -> None:
    day = traffic(60, seed=11)
    fifth = len(day) // 5
    async with processing(behind(site, mongo=mongo_proxy)):
        for turn in range(5):
            await site.send(day[turn * fifth : (turn + 1) * fifth])
            if turn % 2:
                await wound(mongo_proxy, fault)
                mongo_proxy.heal()
        await site.send(day[5 * fifth :])
        await site.finished()
    assert await site.violations(day) == []
    assert await read_topic(site.kafka, site.topics.dead_letters) == [], (
        "trouble is no reason to bury anything"
    )


async def wound(proxy: Proxy, fault: str) -> None:
    """Strike once; an answer that is lost is one whose request went through."""
    seen = proxy.connections
    if fault == "cut":
        proxy.cut()
    else:
        proxy.stall(answers_only=fault == "answers lost")
    await wait_until(lambda: proxy.connections > seen, timeout_s=10, what="somebody to try again")
    if fault == "answers lost":
        proxy.cut()


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
