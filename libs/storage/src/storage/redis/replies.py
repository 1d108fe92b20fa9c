"""Replies to those who wait for an event, over Redis pub/sub: the processor sends, ingest-api waits."""

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import count
from typing import Any, Final

import structlog
from pydantic import TypeAdapter
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from domain.ports.core import Reply
from servicekit.background_tasks import in_background
from storage.redis.breaker import RedisBreaker

_ANSWER: Final = TypeAdapter(Reply)
_GLOB: Final = re.compile(r"[*?\[\]\\]")
_RECONNECT_S: Final = 0.5
_POLL_S: Final = 1.0
_log = structlog.get_logger(__name__)


class RedisReplies:
    """`Replies` on Redis pub/sub: an address is a channel."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._breaker = RedisBreaker("answers")

    async def send(self, answers: Mapping[str, Reply]) -> None:
        """See `Replies.send`."""
        if not answers:
            return

        async def publish() -> None:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for channel, answer in answers.items():
                    pipeline.publish(channel, _ANSWER.dump_json(answer))
                await pipeline.execute()

        await self._breaker.run(publish, otherwise=None)


class RedisReplyInbox:
    """`ReplyInbox` on Redis pub/sub, for the requests of one replica.

    Each waits at an address of its own. The event's id would not tell them apart: two that use one
    `Idempotency-Key` for two shipments wait for one event, and must not hear the same of it.
    """

    def __init__(self, redis: Redis, instance: str) -> None:
        # Not the instance alone: an answer to the process before this one must find nobody.
        self._prefix = f"answers:{instance}:{secrets.token_hex(4)}:"
        self._redis = redis
        self._numbers = count()
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._subscribed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether answers can arrive; without Redis they cannot, and waiting would be in vain."""
        return self._subscribed.is_set()

    @contextlib.contextmanager
    def expect(self) -> Iterator[tuple[str, asyncio.Future[Reply]]]:
        """Give the address to send an event with, and the future of the answer to it."""
        address = f"{self._prefix}{next(self._numbers)}"
        future = self._waiting[address] = asyncio.get_running_loop().create_future()
        try:
            yield address, future
        finally:
            del self._waiting[address]

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Receive answers while the context lasts; a lost Redis is asked for again until it answers."""
        async with in_background(self._listen(), name="answer-inbox"):
            yield

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.psubscribe(_GLOB.sub(r"\\\g<0>", self._prefix) + "*")
                    await self._receive(subscription)
            except (RedisError, OSError) as error:
                _log.warning("answer_inbox_closed", error=str(error) or type(error).__name__)
            finally:
                self._subscribed.clear()
            await asyncio.sleep(_RECONNECT_S)

    async def _receive(self, subscription: PubSub) -> None:
        while True:
            message = await subscription.get_message(timeout=_POLL_S)
            if message is None:
                continue
            if message["type"] == "psubscribe":
                self._subscribed.set()
            elif message["type"] == "pmessage":
                self._deliver(message)

    def _deliver(self, message: dict[str, Any]) -> None:
        future = self._waiting.get(message["channel"].decode())
        if future is None or future.done():
            return
        try:
            answer = _ANSWER.validate_json(message["data"])
        except (
            ValueError
        ) as error:  # from a processor of another version, say: this one waits in vain, no more
            _log.warning("answer_unreadable", error=str(error))
        else:
            future.set_result(answer)
