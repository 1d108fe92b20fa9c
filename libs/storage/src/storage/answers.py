"""Answers to those who wait for an event, over Redis pub/sub: the processor sends, ingest-api waits."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Final

import structlog
from pydantic import TypeAdapter
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from domain.identity import EventId
from domain.ports import Answer
from storage.breaker import RedisBreaker

_ANSWERS: Final = TypeAdapter(list[Answer])
_RECONNECT_S: Final = 0.5
_POLL_S: Final = 1.0
_log = structlog.get_logger(__name__)


class RedisAnswers:
    """`Answers` on Redis pub/sub: an address is a channel."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._breaker = RedisBreaker("answers")

    async def send(self, answers: Mapping[str, Sequence[Answer]]) -> None:
        """See `Answers.send`."""
        if not answers:
            return

        async def publish() -> None:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for channel, batch in answers.items():
                    pipeline.publish(channel, _ANSWERS.dump_json(list(batch)))
                await pipeline.execute()

        await self._breaker.run(publish, otherwise=None)


class AnswerInbox:
    """One replica's channel, and those of its requests that wait for an answer on it."""

    def __init__(self, redis: Redis, instance: str) -> None:
        self.address = f"answers:{instance}"
        self._redis = redis
        self._waiting: dict[EventId, list[asyncio.Future[Answer]]] = defaultdict(list)
        self._subscribed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether answers can arrive; without Redis they cannot, and waiting would be in vain."""
        return self._subscribed.is_set()

    @contextlib.contextmanager
    def expect(self, event_id: EventId) -> Iterator[asyncio.Future[Answer]]:
        """Register for the answer to an event; do so before the event is sent."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[event_id].append(future)
        try:
            yield future
        finally:
            self._waiting[event_id].remove(future)
            if not self._waiting[event_id]:
                del self._waiting[event_id]

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Receive answers while the context lasts; a lost Redis is asked for again until it answers."""
        task = asyncio.create_task(self._listen(), name="answer-inbox")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(self.address)
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
            if message["type"] == "subscribe":
                self._subscribed.set()
            elif message["type"] == "message":
                self._deliver(message)

    def _deliver(self, message: dict[str, Any]) -> None:
        for answer in _ANSWERS.validate_json(message["data"]):
            for future in self._waiting.get(answer.event_id, ()):
                if not future.done():
                    future.set_result(answer)
