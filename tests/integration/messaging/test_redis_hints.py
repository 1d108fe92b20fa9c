"""Redis in trouble: nobody waits for it longer than briefly, and it is used again when it is back."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter
from pydantic_core import to_json, to_jsonable_python
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from domain.ports.core import Reply
from storage.redis import breaker, replies
from storage.redis.breaker import FAILURES_TO_OPEN
from storage.redis.connection import open_redis
from storage.redis.duplicate_filter import LIFETIME_S, RedisDuplicateFilter
from storage.redis.replies import RedisReplies, RedisReplyInbox
from storage.settings import RedisSettings
from tests.faults.matrix import Row
from tests.support.builders import NOON, creation
from tests.support.fakes import FixedClock
from tests.support.proxy import Proxy
from tests.support.waiting import wait_for, wait_until

pytestmark = pytest.mark.stack

PARTITION = "shipments.events/0"
HOUR = timedelta(hours=1)
REPLY = Reply(
    event_id=creation().event_id, outcome="applied", reason=None, client_id="client_001", timestamp=NOON
)


@pytest.fixture
async def redis(
    proxied_redis: RedisSettings,
    redis_client: Redis,  # noqa: ARG001  # empties it
) -> AsyncIterator[Redis]:
    async with open_redis(proxied_redis) as redis:
        assert isinstance(redis, Redis)
        yield redis


@asynccontextmanager
async def at_most(seconds: float) -> AsyncIterator[None]:
    """Fail if the block takes longer."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@pytest.mark.fault(Row.REDIS_AWAY)
@pytest.mark.parametrize("fault", ["stall", "cut"])
async def test_no_question_to_the_filter_waits_longer_than_its_timeout(
    redis: Redis, redis_proxy: Proxy, fault: str
) -> None:
    duplicates = RedisDuplicateFilter(redis, FixedClock())
    await duplicates.mark({PARTITION: ["a"]})
    redis_proxy.stall() if fault == "stall" else redis_proxy.cut()
    for _ in range(FAILURES_TO_OPEN):
        async with at_most(0.6):
            assert (await duplicates.seen({PARTITION: ["a"]}))[PARTITION] == [False]
        async with at_most(0.6):
            await duplicates.mark({PARTITION: ["b"]})


@pytest.mark.fault(Row.REDIS_AWAY)
async def test_a_redis_that_failed_a_few_times_is_left_alone_for_a_while(
    redis: Redis, redis_proxy: Proxy
) -> None:
    duplicates = RedisDuplicateFilter(redis, FixedClock())
    await duplicates.mark({PARTITION: ["a"]})
    redis_proxy.cut()
    for _ in range(FAILURES_TO_OPEN):
        (await duplicates.seen({PARTITION: ["a"]}))[PARTITION]
    asked = redis_proxy.connections
    async with at_most(0.2):
        for _ in range(50):
            assert (await duplicates.seen({PARTITION: ["a"]}))[PARTITION] == [False]
    assert redis_proxy.connections == asked


@pytest.mark.fault(Row.REDIS_AWAY)
@pytest.mark.parametrize("fault", ["stall", "cut"])
async def test_a_redis_that_is_back_is_asked_again(
    redis: Redis, redis_proxy: Proxy, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "RETRY_AFTER_S", 0.3)
    duplicates = RedisDuplicateFilter(redis, FixedClock())
    await duplicates.mark({PARTITION: ["a"]})
    redis_proxy.stall() if fault == "stall" else redis_proxy.cut()
    for _ in range(FAILURES_TO_OPEN + 1):
        assert (await duplicates.seen({PARTITION: ["a"]}))[PARTITION] == [False]
    redis_proxy.heal()

    async def is_known_again() -> bool:
        return list((await duplicates.seen({PARTITION: ["a", "b"]}))[PARTITION]) == [True, False]

    await wait_for(is_known_again, timeout_s=3)


@pytest.mark.fault(Row.DUPLICATES)
async def test_a_mark_is_seen_for_an_hour_at_least_and_not_for_ever(redis_client: Redis) -> None:
    clock = FixedClock()
    duplicates = RedisDuplicateFilter(redis_client, clock)
    await duplicates.mark({PARTITION: ["a"]})
    seen: list[bool] = []
    for _ in range(3):
        seen += (await duplicates.seen({PARTITION: ["a"]}))[PARTITION]
        clock.advance(HOUR)
    assert seen == [True, True, False]
    [key] = await redis_client.keys("dedup:*")
    assert 0 < await redis_client.ttl(key) <= LIFETIME_S


@pytest.mark.fault(Row.REDIS_AWAY)
async def test_a_command_to_a_redis_that_hangs_is_not_repeated(redis: Redis, redis_proxy: Proxy) -> None:
    await redis.ping()
    redis_proxy.stall()
    async with at_most(0.5):
        with pytest.raises(Exception, match=r"(?i)timeout"):
            await redis.ping()


@asynccontextmanager
async def inbox_of(redis: Redis) -> AsyncIterator[RedisReplyInbox]:
    inbox = RedisReplyInbox(redis, "test")
    async with inbox.listening():
        await wait_until(lambda: inbox.is_open, what="the inbox")
        yield inbox


@pytest.mark.fault(Row.REDIS_AWAY)
async def test_an_inbox_without_redis_says_so_and_opens_again_when_it_is_back(
    redis: Redis, redis_proxy: Proxy, redis_client: Redis
) -> None:
    async with inbox_of(redis) as inbox:
        redis_proxy.cut()
        await wait_until(lambda: not inbox.is_open, what="the inbox to notice")
        redis_proxy.heal()
        await wait_until(lambda: inbox.is_open, what="the inbox to come back")
        with inbox.expect() as (address, reply):
            await RedisReplies(redis_client).send({address: REPLY})
            assert await asyncio.wait_for(reply, 2) == REPLY


async def test_an_inbox_stays_open_while_nothing_arrives(
    redis: Redis, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "_POLL_S", 0.1)
    async with inbox_of(redis) as inbox:
        with inbox.expect() as (address, reply):
            done, _ = await asyncio.wait([reply], timeout=0.5)
            assert not done
            assert inbox.is_open
            await RedisReplies(redis_client).send({address: REPLY})
            assert await asyncio.wait_for(reply, 2) == REPLY


def channel_of(address: str) -> str:
    return address.rpartition("#")[0]


async def messages_of(subscription: PubSub, count: int) -> AsyncIterator[dict[str, Any]]:
    """Yield so many messages, and require that no other follows."""
    for _ in range(count):
        while (message := await subscription.get_message(timeout=2))["type"] != "message":
            pass
        yield message
    assert await subscription.get_message(timeout=0.1) is None


async def test_replies_without_a_waiting_request_are_dropped_without_harm(redis_client: Redis) -> None:
    async with inbox_of(redis_client) as inbox:
        with inbox.expect() as (gone, _):
            pass
        with inbox.expect() as (address, reply):
            await redis_client.publish(channel_of(gone), b"not even json")
            await RedisReplies(redis_client).send({gone: REPLY, address: REPLY})
            assert await asyncio.wait_for(reply, 2) == REPLY
            await RedisReplies(redis_client).send({address: REPLY})


async def test_an_invalid_reply_does_not_close_the_inbox(redis_client: Redis) -> None:
    async with inbox_of(redis_client) as inbox:
        with inbox.expect() as (address, reply):
            for nonsense in (b"not even json", b"[]", b'{"0": {"outcome": 1}}', b""):
                assert await redis_client.publish(channel_of(address), nonsense) == 1
            await RedisReplies(redis_client).send({address: REPLY})
            assert await asyncio.wait_for(reply, 2) == REPLY


async def test_a_reply_that_cannot_be_read_is_the_trouble_of_its_caller_alone(redis_client: Redis) -> None:
    async with inbox_of(redis_client) as inbox:
        with inbox.expect() as (first, unread), inbox.expect() as (second, reply):
            numbers = [address.rpartition("#")[2] for address in (first, second)]
            sent = dict(zip(numbers, ({"outcome": 1}, to_jsonable_python(REPLY)), strict=True))
            await redis_client.publish(channel_of(first), to_json(sent))
            assert await asyncio.wait_for(reply, 2) == REPLY
            assert not unread.done()


async def test_reply_of_the_previous_release_is_received(redis_client: Redis) -> None:
    inbox = RedisReplyInbox(redis_client, "odd[1]*?")
    async with inbox.listening():
        await wait_until(lambda: inbox.is_open, timeout_s=5, what="the subscription")
        with inbox.expect() as (address, reply):
            # It takes the whole address for a channel, and sends one reply there.
            assert await redis_client.publish(address, TypeAdapter(Reply).dump_json(REPLY)) == 1
            assert await asyncio.wait_for(reply, 2) == REPLY


async def test_replies_of_a_batch_to_one_inbox_are_one_message(redis_client: Redis) -> None:
    async with inbox_of(redis_client) as inbox, redis_client.pubsub() as other:
        with inbox.expect() as (first, one), inbox.expect() as (second, two):
            await other.subscribe(channel_of(first), "answers:test:1:7")
            await RedisReplies(redis_client).send({first: REPLY, second: REPLY, "answers:test:1:7": REPLY})
            assert [await asyncio.wait_for(reply, 2) for reply in (one, two)] == [REPLY, REPLY]
        heard = [each["channel"].decode() async for each in messages_of(other, 2)]
    # The second has the form of earlier releases, whose inboxes wait for one reply at each address.
    assert sorted(heard) == sorted([channel_of(first), "answers:test:1:7"])


@pytest.mark.fault(Row.REDIS_AWAY)
async def test_sending_replies_does_not_wait_for_a_redis_that_hangs(redis: Redis, redis_proxy: Proxy) -> None:
    replies = RedisReplies(redis)
    await replies.send({"answers:nobody": REPLY})
    redis_proxy.stall()
    async with at_most(0.5):
        await replies.send({"answers:nobody": REPLY})


async def test_replicas_receive_only_their_own_replies(redis_client: Redis) -> None:
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(inbox_of(redis_client)) for _ in range(2)]
        with one.expect() as (address, mine), other.expect() as (_, theirs):
            await RedisReplies(redis_client).send({address: REPLY})
            assert await asyncio.wait_for(mine, 2) == REPLY
            assert not theirs.done()
