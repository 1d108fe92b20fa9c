"""Replies to callers that wait for an event, over Redis pub/sub: the processor sends, ingest-api waits.

An address is `<channel>#<number>`: an inbox has one channel, and each waiting request a number. All replies
of a batch to one inbox are one message, which costs sender and receiver more than each reply in it. An
address without a number is a channel of its own, with one reply in a message, for earlier releases.

Every node of a cluster, and every replica, passes on what is published at another: an inbox listens at one.
"""

import asyncio
import contextlib
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any, Final

import structlog
from pydantic import OnErrorOmit, TypeAdapter
from redis.asyncio import RedisCluster
from redis.asyncio.client import PubSub

from domain.ports.core import Reply
from servicekit.background_tasks import in_background
from storage.redis.breaker import RedisBreaker
from storage.redis.connection import UNAVAILABLE, RedisClient

_REPLY: Final = TypeAdapter(Reply)
# A processor of another version may send what cannot be read: its caller waits in vain, the others do not.
_REPLIES: Final = TypeAdapter(dict[str, OnErrorOmit[Reply]])
_MARK: Final = "#"
_RECONNECT_S: Final = 0.5
_POLL_S: Final = 1.0
_SILENCE_S: Final = 3.0
"""Seconds without a message or a response to PING after which the server is taken for gone."""

_log = structlog.get_logger(__name__)


class RedisReplies:
    """`Replies` on Redis pub/sub: an address is a channel."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._breaker = RedisBreaker("answers")

    async def send(self, replies: Mapping[str, Reply]) -> None:
        """See `Replies.send`."""
        if not replies:
            return

        await self._breaker.run(partial(self._publish, list(_messages(replies))), otherwise=None)

    async def _publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        if isinstance(self._redis, RedisCluster):  # whose pipelines take no PUBLISH
            for channel, message in messages:
                await self._redis.publish(channel, message)
            return
        async with self._redis.pipeline(transaction=False) as pipeline:
            for channel, message in messages:
                pipeline.publish(channel, message)
            await pipeline.execute()


def _messages(replies: Mapping[str, Reply]) -> Iterator[tuple[str, bytes]]:
    """Yield the channels to publish to, and what."""
    numbered: dict[str, dict[str, Reply]] = {}
    for address, reply in replies.items():
        channel, _, number = address.rpartition(_MARK)
        if channel and number.isdigit():
            numbered.setdefault(channel, {})[number] = reply
        else:
            yield address, _REPLY.dump_json(reply)
    for channel, by_number in numbered.items():
        yield channel, _REPLIES.dump_json(by_number)


class RedisReplyInbox:
    """`ReplyInbox` on Redis pub/sub, for the requests of one replica.

    Each request waits at an address of its own, not at the event's id: two requests that use one
    `Idempotency-Key` for two shipments wait for the same event, and get different replies.
    """

    def __init__(self, redis: RedisClient, instance: str) -> None:
        # Not the instance alone: a reply to the previous process must not reach this one.
        self._channel = f"answers:{instance}:{secrets.token_hex(4)}"
        self._redis = redis
        self._numbers = count()
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._subscribed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """True while replies can arrive: the subscription is up."""
        return self._subscribed.is_set()

    @contextlib.contextmanager
    def expect(self) -> Iterator[tuple[str, asyncio.Future[Reply]]]:
        """Yield the address to send an event with, and the future of the reply to it."""
        number = str(next(self._numbers))
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            yield f"{self._channel}{_MARK}{number}", future
        finally:
            del self._waiting[number]

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Receive replies while the context lasts; subscribe again after a lost connection."""
        async with in_background(self._listen(), name="reply-inbox"):
            yield

    async def _listen(self) -> None:
        while True:
            try:
                await self._redis.initialize()
                async with self._subscription() as subscription:
                    # Processors of the previous release take the whole address for a channel.
                    await subscription.psubscribe(f"{_literal(self._channel)}{_MARK}*")
                    await subscription.subscribe(self._channel)
                    await self._receive(subscription)
            except UNAVAILABLE as error:
                _log.warning("reply_inbox_closed", error=str(error) or type(error).__name__)
            finally:
                self._subscribed.clear()
            await asyncio.sleep(_RECONNECT_S)

    def _subscription(self) -> PubSub:
        if isinstance(self._redis, RedisCluster):
            # Any node, not the channel's: that one may be away, and nothing here would notice its successor.
            return self._redis.pubsub(node=self._redis.get_random_node())
        return self._redis.pubsub()

    async def _receive(self, subscription: PubSub) -> None:
        """Deliver what arrives.

        Raises:
            TimeoutError: the server is silent. A connection to one that is gone looks like an idle one.
        """
        heard_at = time.monotonic()
        while True:
            message = await subscription.get_message(timeout=_POLL_S)
            if message is None:
                if time.monotonic() - heard_at > _SILENCE_S:
                    raise TimeoutError("no response to PING")
                await subscription.ping()
                continue
            heard_at = time.monotonic()
            if message["type"] == "subscribe":
                self._subscribed.set()
            elif message["type"] in ("message", "pmessage"):
                self._deliver(message)

    def _deliver(self, message: Mapping[str, Any]) -> None:
        try:
            replies = _replies_in(message)
        except ValueError as error:
            _log.warning("replies_unreadable", error=str(error))
            return
        for number, reply in replies.items():
            future = self._waiting.get(number)
            if future is not None and not future.done():
                future.set_result(reply)


def _replies_in(message: Mapping[str, Any]) -> Mapping[str, Reply]:
    """Return the replies of a message, by number.

    Raises:
        ValueError: it has none that can be read.
    """
    if message["type"] == "message":
        return _REPLIES.validate_json(message["data"])
    return {message["channel"].decode().rpartition(_MARK)[2]: _REPLY.validate_json(message["data"])}


def _literal(channel: str) -> str:
    """Return a pattern for `PSUBSCRIBE` that matches this channel alone."""
    return re.sub(r"[][*?\\]", r"\\\g<0>", channel)
