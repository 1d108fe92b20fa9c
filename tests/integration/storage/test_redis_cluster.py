"""Everything that uses Redis, on a cluster: keys in any slot, slots that move, a master that dies."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.access.lockout import LockPolicies, LockPolicy
from domain.access.rate_limit import Quota
from domain.ports.core import Reply, Revocation
from storage.health import ping_redis
from storage.mongo.accounts.revocations import FEED_KEY, RedisRevocationFeed
from storage.redis.connection import RedisClient, open_redis
from storage.redis.duplicate_filter import RedisDuplicateFilter
from storage.redis.login_lockout import RedisLoginGuard
from storage.redis.rate_limiter import RedisRateLimiter
from storage.redis.replies import RedisReplies, RedisReplyInbox
from tests.faults.matrix import Row
from tests.support.builders import NOON, creation
from tests.support.fakes import FixedClock
from tests.support.fault_table import Recovery
from tests.support.redis_nodes import RedisCluster, redis_cluster
from tests.support.waiting import wait_for, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]

PARTITIONS = [f"shipments.events/{number}" for number in range(24)]
QUOTA = Quota("slow", 5, 60)
POLICIES = LockPolicies(pair=LockPolicy(free=2), user=LockPolicy(free=8), address=LockPolicy(free=12))
REPLY = Reply(
    event_id=creation().event_id, outcome="applied", reason=None, client_id="client_001", timestamp=NOON
)
REVOCATION = Revocation(
    name="jti:1", issued_until=NOON, recorded_at=NOON, expires_at=NOON + timedelta(days=1)
)
SILENT_CALLERS = 10


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
async def redis(cluster: RedisCluster) -> AsyncIterator[RedisClient]:
    cluster.flush()
    async with open_redis(cluster.settings) as client:
        yield client


async def test_members_are_seen_whichever_nodes_have_their_partitions(
    cluster: RedisCluster, redis: RedisClient
) -> None:
    duplicates = RedisDuplicateFilter(redis, FixedClock())
    await duplicates.mark({partition: [partition, "b"] for partition in PARTITIONS})

    assert all(node.ask("DBSIZE") for node in cluster.masters)
    seen = await duplicates.seen({partition: ["a", partition] for partition in PARTITIONS} | {"other": []})
    assert seen == {partition: [False, True] for partition in PARTITIONS} | {"other": []}


async def test_a_quota_is_shared_out_exactly(redis: RedisClient) -> None:
    limiters = [RedisRateLimiter(redis) for _ in range(2)]
    keys = [uuid.uuid4().hex for _ in range(6)]
    grants = [[await limiter.take(key, QUOTA, wanted=3) for limiter in limiters] for key in keys]
    assert [[grant.granted for grant in pair] for pair in grants] == [[3, 2]] * len(keys)


async def test_failed_logins_lock_and_a_success_forgets(redis: RedisClient) -> None:
    guard, elsewhere = RedisLoginGuard(redis, POLICIES), RedisLoginGuard(redis, POLICIES)
    for _ in range(3):
        await guard.failed("ana", "198.51.100.7")
    assert await elsewhere.wait_s("ana", "198.51.100.7") > 0
    await guard.succeeded("ana", "198.51.100.7")
    assert await elsewhere.wait_s("ana", "198.51.100.7") == 0
    assert await elsewhere.knows("ana", "198.51.100.7")


async def test_replies_arrive_whichever_nodes_the_inboxes_listen_at(redis: RedisClient) -> None:
    async with AsyncExitStack() as opened:
        inboxes: list[RedisReplyInbox] = []
        for number in range(4):
            inboxes.append(RedisReplyInbox(redis, f"replica-{number}"))
            await opened.enter_async_context(inboxes[-1].listening())
            await wait_until(lambda: inboxes[-1].is_open, what="an inbox")
        expected = [opened.enter_context(inbox.expect()) for inbox in inboxes]
        await RedisReplies(redis).send({address: REPLY for address, _ in expected})
        assert await asyncio.wait_for(asyncio.gather(*(reply for _, reply in expected)), 5) == [REPLY] * 4


async def test_revocations_are_published_and_complete(redis: RedisClient) -> None:
    feed = RedisRevocationFeed(redis, FixedClock(), retention_s=3600)
    assert await feed.publish([REVOCATION], as_of=NOON, whole=True)
    assert await feed.publish([replace(REVOCATION, name="jti:2")], as_of=NOON)
    news = await RedisRevocationFeed(redis, FixedClock(), retention_s=3600).news()
    assert ({each.name for each in news.revocations}, news.whole_at) == ({"jti:1", "jti:2"}, NOON)
    assert await ping_redis(redis)


@pytest.mark.fault(Row.REDIS_MOVED)
async def test_a_slot_that_moves_to_another_node_forgets_nothing(
    cluster: RedisCluster, redis: RedisClient
) -> None:
    duplicates, limiter = RedisDuplicateFilter(redis, FixedClock()), RedisRateLimiter(redis)
    hour = int(NOON.timestamp()) // 3600
    marked = {partition: ["a"] for partition in PARTITIONS}
    await duplicates.mark(marked)
    await limiter.take("key", QUOTA, wanted=3)
    for key in (f"dedup:{PARTITIONS[3]}:{hour}", "limit:key", FEED_KEY):
        between = cluster.begin_move(key)
        assert await duplicates.seen(marked) == {partition: [True] for partition in PARTITIONS}
        cluster.end_move(key, *between)
        assert await duplicates.seen(marked) == {partition: [True] for partition in PARTITIONS}
        assert cluster.owner(key) is between[1]
    assert (await limiter.take("key", QUOTA, wanted=3)).granted == 2


@pytest.mark.fault(Row.REDIS_MOVED)
async def test_scripts_that_a_node_has_forgotten_are_sent_again(
    cluster: RedisCluster, redis: RedisClient
) -> None:
    limiter = RedisRateLimiter(redis)
    assert (await limiter.take("key", QUOTA, wanted=3)).granted == 3
    for node in cluster.masters:
        node.ask("SCRIPT FLUSH")
    assert (await limiter.take("key", QUOTA, wanted=3)).granted == 2


@pytest.mark.fault(Row.REDIS_AWAY)
async def test_nobody_waits_long_for_nodes_that_are_all_silent(
    cluster: RedisCluster, redis: RedisClient
) -> None:
    guard = RedisLoginGuard(redis, POLICIES)
    assert await guard.wait_s("ana", "198.51.100.7") == 0
    with ExitStack() as frozen:
        for node in (*cluster.masters, cluster.replica):
            frozen.enter_context(node.frozen())
        started = time.monotonic()
        for _ in range(3):
            await asyncio.gather(*(guard.wait_s(str(user), "192.0.2.1") for user in range(SILENT_CALLERS)))
        assert time.monotonic() - started < 4


@pytest.mark.long
@pytest.mark.fault(Row.REDIS_FAILED_OVER)
async def test_a_replica_that_is_promoted_is_found(
    cluster: RedisCluster, redis: RedisClient, recovery: Recovery
) -> None:
    """The last test: the master stays away."""
    clock = FixedClock()
    duplicates = RedisDuplicateFilter(redis, clock)
    hour = int(NOON.timestamp()) // 3600
    [partition, *_] = [
        each for each in PARTITIONS if cluster.owner(f"dedup:{each}:{hour}") is cluster.masters[0]
    ]
    await duplicates.mark({partition: ["a"]})
    cluster.masters[0].ask("WAIT", 1, 1000)
    cluster.masters[0].kill()

    async def is_seen() -> bool:
        return list((await duplicates.seen({partition: ["a"]}))[partition]) == [True]

    with recovery.timed():
        await wait_for(is_seen, timeout_s=30, what="the promoted replica")
