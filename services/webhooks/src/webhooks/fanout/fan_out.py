"""Fan-out: a consumer of the change feed, which runs only while there is an endpoint.

The offsets of its group are moved ahead before it starts, to the creation of the oldest endpoint: what was
published before is for nobody. They are never moved back, since everything below them has been fanned out to
all endpoints there were. So replicas and restarts need not agree on anything.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import structlog

from domain.errors import StoreUnavailable
from domain.ports.core import Clock
from messaging.consumer.consumer_settings import ConsumerSettings
from messaging.consumer.moving_ahead import move_ahead
from messaging.consumer.plain_consumer import PlainConsumer
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from servicekit.background_tasks import in_background
from servicekit.clock import SystemClock
from storage.mongo.database import Database
from webhooks.fanout.change_handler import ChangeHandler, CountHeld, Stores, Wake
from webhooks.fanout.subscription_cache import SubscriptionCache
from webhooks.stores.deliveries import MongoDeliveryStore
from webhooks.stores.messages import MongoMessageStore
from webhooks.stores.subscriptions import MongoSubscriptionStore

_log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 2.0
_RELOAD_EVERY: Final = 15
"""Looks between two complete ones, while the consumer runs."""
_MARGIN: Final = timedelta(minutes=1)
"""Where the group starts before the creation of the oldest endpoint: more than clocks differ."""
_MAX_BATCH: Final = 200
"""Changes in a batch: wanted by 5,000 endpoints, they are stored long before a batch counts as stalled."""


def consumer_settings(kafka: KafkaSettings, *, group: str, instance: str) -> ConsumerSettings:
    """Return the settings of the consumer of fan-out."""
    return ConsumerSettings(
        kafka=kafka,
        topic=Topics(kafka.topic_prefix).changes,
        group=group,
        instance=instance,
        max_batch=_MAX_BATCH,
    )


class FanOut:
    """The fan-out of one replica."""

    def __init__(
        self,
        settings: ConsumerSettings,
        database: Database,
        wake: Wake,
        clock: Clock | None = None,
        count_held: CountHeld | None = None,
    ) -> None:
        """Create it; `run` starts it.

        Args:
            settings: of the consumer; see `consumer_settings`.
            database: with the collections of webhooks.
            wake: called when something has become due.
            clock: the system's if not given.
            count_held: counts what is held, for the metrics.
        """
        clock = clock or SystemClock()
        count = count_held or (lambda _held: None)
        stores = Stores(
            subscriptions=MongoSubscriptionStore(database),
            messages=MongoMessageStore(database),
            deliveries=MongoDeliveryStore(database),
        )
        self._settings = settings
        self._cache = SubscriptionCache(stores.subscriptions, clock)
        self._handler = ChangeHandler(stores, self._cache, clock, wake=wake, count_held=count)
        self._consumer: PlainConsumer | None = None
        self._skipped_before = 0
        self._stopping = asyncio.Event()
        self._looking = asyncio.Event()

    @property
    def lags(self) -> Mapping[int, int]:
        """Number of changes of each partition that are not fanned out; empty while there is no endpoint."""
        return {} if self._consumer is None else self._consumer.lags

    @property
    def skipped(self) -> int:
        """Number of records that hold no change, or that nobody can read."""
        running = 0 if self._consumer is None else self._consumer.skipped
        return self._handler.skipped + self._skipped_before + running

    @property
    def problems(self) -> Mapping[str, str]:
        """Problems that keep partitions from being read; see `ConsumerLoop.problems`."""
        return {} if self._consumer is None else self._consumer.problems

    def stop(self) -> None:
        """Make `run` end the batches in flight, commit and return."""
        self._stopping.set()
        self._looking.set()
        if self._consumer is not None:
            self._consumer.stop()

    def endpoints_changed(self) -> None:
        """Look for endpoints now: this replica has created, changed or deleted one."""
        self._looking.set()

    async def run(self) -> None:
        """Fan out until `stop`.

        Raises:
            RuntimeStopped: the consumer cannot continue; restart the process.
        """
        while not self._stopping.is_set():
            if await self._has_endpoints(completely=True) and await self._is_positioned():
                await self._consume()
            else:
                await self._pause()

    async def _consume(self) -> None:
        if self._stopping.is_set():
            return
        _log.info("fan_out_started", endpoints=len(self._cache))
        consumer = self._consumer = PlainConsumer(self._settings, self._handler.handle)
        try:
            async with in_background(self._stop_without_endpoints(consumer), name="fan-out-endpoints"):
                await consumer.run()
        finally:
            self._consumer = None
            self._skipped_before += consumer.skipped
        _log.info("fan_out_ended", endpoints=len(self._cache))

    async def _stop_without_endpoints(self, consumer: PlainConsumer) -> None:
        looks = 0
        while not self._stopping.is_set():
            await self._pause()
            looks += 1
            if not await self._has_endpoints(completely=looks % _RELOAD_EVERY == 0):
                consumer.stop()
                return

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._looking.wait(), LOOK_EVERY_S)
        if not self._stopping.is_set():
            self._looking.clear()

    async def _has_endpoints(self, *, completely: bool) -> bool:
        """Look for endpoints; without the store, say what was known last."""
        try:
            if completely:
                await self._cache.reload()
            else:
                await self._cache.refresh()
        except StoreUnavailable as error:
            _log.warning("endpoints_unknown", error=str(error))
        return len(self._cache) > 0

    async def _is_positioned(self) -> bool:
        oldest = self._cache.oldest
        if oldest is None:
            return False
        try:
            await move_ahead(self._settings, oldest - _MARGIN)
        except StoreUnavailable as error:
            _log.warning("kafka_unreachable", error=str(error))
            return False
        return True
