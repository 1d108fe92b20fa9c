"""Redis behind Sentinels: a replica is promoted, a server refuses to write, Sentinels go away.

Nothing restarts what is killed here. Callers get the default, never an error, and soon the new primary.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from domain.access.lockout import LockPolicies, LockPolicy
from domain.access.rate_limit import Quota
from domain.ports.core import Reply, Revocation
from storage.health import ping_redis
from storage.mongo.accounts.revocations import FEED_KEY, RedisRevocationFeed
from storage.redis import breaker, replies
from storage.redis.connection import RedisClient, open_redis
from storage.redis.duplicate_filter import RedisDuplicateFilter
from storage.redis.login_lockout import RedisLoginGuard
from storage.redis.rate_limiter import RedisRateLimiter
from storage.redis.replies import RedisReplies, RedisReplyInbox
from tests.faults.matrix import Row
from tests.support.builders import NOON, creation
from tests.support.fakes import FixedClock
from tests.support.fault_table import Recovery
from tests.support.redis_nodes import Watched, watched_redis
from tests.support.waiting import wait_for, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]

PARTITION = "shipments.events/0"
QUOTA = Quota("slow", 5, 60)
POLICIES = LockPolicies(pair=LockPolicy(free=1), user=LockPolicy(free=8), address=LockPolicy(free=12))
REPLY = Reply(
    event_id=creation().event_id, outcome="applied", reason=None, client_id="client_001", timestamp=NOON
)
REVOCATION = Revocation(
    name="jti:1", issued_until=NOON, recorded_at=NOON, expires_at=NOON + timedelta(days=1)
)
RETENTION_S = 86_400.0
PROMOTED_WITHIN_S = 20.0


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Give servers that stay alive, to tests that leave them as they were."""
    with watched_redis(tmp_path_factory.mktemp("watched")) as running:
        yield running


@pytest.fixture
async def redis(watched: Watched) -> AsyncIterator[RedisClient]:
    watched.primary().ask("FLUSHALL")
    async with open_redis(watched.settings) as client:
        yield client


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[Watched]:
    """Give servers that a test may kill."""
    with watched_redis(tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure Redis, not the pause before it is asked again."""
    monkeypatch.setattr(breaker, "RETRY_AFTER_S", 0.2)


@asynccontextmanager
async def inbox_of(redis: RedisClient) -> AsyncIterator[RedisReplyInbox]:
    inbox = RedisReplyInbox(redis, "test")
    async with inbox.listening():
        await wait_until(lambda: inbox.is_open, what="the inbox")
        yield inbox


async def is_marked_and_seen(duplicates: RedisDuplicateFilter) -> bool:
    await duplicates.mark({PARTITION: ["afterwards"]})
    return list((await duplicates.seen({PARTITION: ["afterwards"]}))[PARTITION]) == [True]


async def is_answered(redis: RedisClient, inbox: RedisReplyInbox) -> bool:
    with inbox.expect() as (address, reply):
        await RedisReplies(redis).send({address: REPLY})
        done, _ = await asyncio.wait([reply], timeout=0.2)
        return bool(done)


async def works_again(redis: RedisClient, inbox: RedisReplyInbox) -> None:
    """Wait until marks are seen and replies arrive."""
    duplicates = RedisDuplicateFilter(redis, FixedClock())
    for works in (lambda: is_marked_and_seen(duplicates), lambda: is_answered(redis, inbox)):
        await wait_for(works, timeout_s=PROMOTED_WITHIN_S, what="the new primary")


@pytest.mark.long
@pytest.mark.fault(Row.REDIS_FAILED_OVER)
async def test_a_replica_that_an_operator_promotes_has_what_was_marked(
    watched: Watched, redis: RedisClient, recovery: Recovery
) -> None:
    duplicates = RedisDuplicateFilter(redis, FixedClock())
    await duplicates.mark({PARTITION: ["before"]})
    watched.settle()
    before = watched.primary()
    async with inbox_of(redis) as inbox:
        with recovery.timed():
            watched.fail_over()
            await wait_until(lambda: watched.primary() is not before, timeout_s=PROMOTED_WITHIN_S)
            await works_again(redis, inbox)
    assert list((await duplicates.seen({PARTITION: ["before", "never"]}))[PARTITION]) == [True, False]
    watched.settle()


@pytest.mark.fault(Row.REDIS_REFUSES)
async def test_a_primary_that_has_become_a_replica_refuses_once(watched: Watched, redis: RedisClient) -> None:
    """A connection from before is answered READONLY; the next call asks the Sentinels."""
    duplicates = RedisDuplicateFilter(redis, FixedClock())
    assert await is_marked_and_seen(duplicates)
    primary, replica = watched.primary(), watched.replica()
    watched.settle()
    # As Sentinels do it, but without closing the connections of clients.
    replica.ask("REPLICAOF", "NO", "ONE")
    primary.ask("REPLICAOF", "127.0.0.1", replica.port)
    try:
        with pytest.raises(RedisError, match="previous master is now a slave"):
            await ping_redis(redis)
    finally:
        primary.ask("REPLICAOF", "NO", "ONE")
        replica.ask("REPLICAOF", "127.0.0.1", primary.port)
    watched.settle()
    assert await ping_redis(redis)


@pytest.mark.fault(Row.REDIS_REFUSES)
async def test_a_primary_out_of_memory_is_read_and_otherwise_as_if_away(
    watched: Watched, redis: RedisClient
) -> None:
    duplicates, limiter = RedisDuplicateFilter(redis, FixedClock()), RedisRateLimiter(redis)
    guard, feed = (
        RedisLoginGuard(redis, POLICIES),
        RedisRevocationFeed(redis, FixedClock(), retention_s=RETENTION_S),
    )
    await duplicates.mark({PARTITION: ["before"]})
    await feed.publish([REVOCATION], as_of=NOON, whole=True)
    primary = watched.primary()
    primary.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    primary.ask("CONFIG", "SET", "maxmemory", 1)
    try:
        await duplicates.mark({PARTITION: ["during"]})
        assert list((await duplicates.seen({PARTITION: ["before", "during"]}))[PARTITION]) == [True, False]
        assert [(await limiter.take("key", QUOTA)).granted for _ in range(6)] == [1] * 5 + [0]
        await guard.failed("ana", "198.51.100.7")
        assert await guard.wait_s("ana", "198.51.100.7") > 0
        assert await feed.publish([replace(REVOCATION, name="jti:2")], as_of=NOON) is False
        news = await feed.news()
        assert ([each.name for each in news.revocations], news.whole_at) == (["jti:1"], None)
        with pytest.raises(RedisError, match="used memory"):
            await ping_redis(redis)
    finally:
        primary.ask("CONFIG", "SET", "maxmemory", 0)
    await wait_for(lambda: is_marked_and_seen(duplicates), what="writes")
    assert (await feed.news()).whole_at == NOON


@pytest.mark.fault(Row.REDIS_MOVED)
async def test_scripts_that_were_flushed_are_sent_again(watched: Watched, redis: RedisClient) -> None:
    limiter = RedisRateLimiter(redis)
    assert (await limiter.take("key", QUOTA, wanted=3)).granted == 3
    watched.primary().ask("SCRIPT", "FLUSH")
    assert (await limiter.take("key", QUOTA, wanted=3)).granted == 2


@pytest.mark.fault(Row.REDIS_AWAY)
async def test_sentinels_are_needed_for_new_connections_only(watched: Watched, redis: RedisClient) -> None:
    duplicates = RedisDuplicateFilter(redis, FixedClock())
    assert await is_marked_and_seen(duplicates)
    first, second, third = watched.sentinels
    async with open_redis(watched.settings) as late:
        with first.frozen():
            started = time.monotonic()
            assert await is_marked_and_seen(RedisDuplicateFilter(late, FixedClock())), "another one answers"
            assert time.monotonic() - started < 1
    with first.frozen(), second.frozen(), third.frozen():
        assert await is_marked_and_seen(duplicates), "the connection is there"
        async with open_redis(watched.settings) as too_late:
            started = time.monotonic()
            assert not await is_marked_and_seen(RedisDuplicateFilter(too_late, FixedClock()))
            assert time.monotonic() - started < 3


@pytest.mark.long
@pytest.mark.fault(Row.REDIS_FAILED_OVER)
async def test_a_primary_that_is_killed_is_replaced(doomed: Watched, recovery: Recovery) -> None:
    async with open_redis(doomed.settings) as redis, inbox_of(redis) as inbox:
        doomed.primary().kill()
        with recovery.timed():
            await works_again(redis, inbox)


@pytest.mark.long
@pytest.mark.fault(Row.REDIS_FAILED_OVER)
async def test_a_primary_that_falls_silent_is_replaced_and_comes_back_as_a_replica(
    doomed: Watched, recovery: Recovery
) -> None:
    async with open_redis(doomed.settings) as redis, inbox_of(redis) as inbox:
        before = doomed.primary()
        with before.frozen(), recovery.timed():
            await works_again(redis, inbox)
        doomed.settle()
        assert doomed.replica() is before
        await works_again(redis, inbox)


@pytest.mark.long
@pytest.mark.fault(Row.REDIS_FAILED_OVER)
async def test_a_silent_primary_closes_the_inbox_that_listens_there(
    doomed: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever would wait for a reply is told at once that none will come."""
    monkeypatch.setattr(replies, "_POLL_S", 0.1)
    monkeypatch.setattr(replies, "_SILENCE_S", 0.5)
    async with open_redis(doomed.settings) as redis, inbox_of(redis) as inbox:
        with doomed.primary().frozen():
            await wait_until(lambda: not inbox.is_open, timeout_s=2, what="the inbox to notice")
            await wait_until(lambda: inbox.is_open, timeout_s=PROMOTED_WITHIN_S, what="the new primary")


@pytest.mark.long
@pytest.mark.fault(Row.REDIS_FAILED_OVER)
async def test_a_replica_that_was_far_behind_is_not_taken_for_complete(doomed: Watched) -> None:
    """What it lacks is applied again or looked up, and its list of revocations is published whole."""
    clock = FixedClock()
    later = NOON + timedelta(minutes=10)
    async with open_redis(doomed.settings) as redis:
        duplicates, feed = (
            RedisDuplicateFilter(redis, clock),
            RedisRevocationFeed(redis, clock, retention_s=RETENTION_S),
        )
        await feed.publish([REVOCATION], as_of=NOON, whole=True)
        await duplicates.mark({PARTITION: ["early"]})
        doomed.settle()
        doomed.replica().ask(
            "REPLICAOF", "127.0.0.1", 1
        )  # nobody listens there: what follows does not arrive
        await duplicates.mark({PARTITION: ["late"]})
        await feed.publish([replace(REVOCATION, name="jti:2", recorded_at=later)], as_of=later)
        assert await feed.is_whole(since=later)

        doomed.primary().kill()
        await wait_for(
            lambda: is_marked_and_seen(duplicates), timeout_s=PROMOTED_WITHIN_S, what="a promotion"
        )

        assert list((await duplicates.seen({PARTITION: ["early", "late"]}))[PARTITION]) == [True, False]
        assert await feed.is_whole(since=later) is False, "query-api publishes everything again"
        await feed.publish(
            [REVOCATION, replace(REVOCATION, name="jti:2", recorded_at=later)], as_of=later, whole=True
        )
        assert await redis.zcard(FEED_KEY) == 4
        assert await feed.is_whole(since=later)
