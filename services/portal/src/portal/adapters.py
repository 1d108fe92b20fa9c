"""Connections and ports of the portal, and their adapters."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from domain.ports.core import Clock, RateLimiter
from domain.ports.live import StatusChanges, StatusReader
from domain.ports.public import LinkReader, PublicShipmentReader
from httpkit.server.health import Check, ping_check
from messaging.consumer.change_tail import ChangeTail
from messaging.metrics import ChangeTailMetrics
from portal.settings import Settings
from servicekit.clock import SystemClock
from storage.health import ping_database, ping_redis
from storage.metrics import BreakerMetrics, PoolMetrics
from storage.mongo.database import open_database, readable_without_primary
from storage.mongo.operations.shipment_links import MongoLinkStore
from storage.mongo.queries.public import MongoPublicShipmentReader
from storage.mongo.queries.statuses import MongoStatusReader
from storage.redis.connection import open_redis
from storage.redis.rate_limiter import LotRateLimiter, RedisRateLimiter

DATABASE: Final = "database"
CACHE: Final = "cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """Ports of the tracking pages; the console has none but the API.

    Attributes:
        probes: checks of what this replica needs, by their names in `/health`.
    """

    clock: Clock
    statuses: StatusReader
    changes: StatusChanges
    public_shipments: PublicShipmentReader
    links: LinkReader
    limiter: RateLimiter
    probes: Mapping[str, Check]


ADAPTERS: Final = web.AppKey("adapters", Adapters)

OpenAdapters = Callable[[Settings, CollectorRegistry], AbstractAsyncContextManager[Adapters]]


@asynccontextmanager
async def open_adapters(settings: Settings, registry: CollectorRegistry) -> AsyncIterator[Adapters]:
    """Open the stores without waiting for them; at exit, close all connections."""
    registry.register(BreakerMetrics())
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings.mongo, PoolMetrics(registry)))
        readable = readable_without_primary(database)
        redis = await stack.enter_async_context(open_redis(settings.redis))
        statuses = MongoStatusReader(database)
        changes = ChangeTail(settings.kafka, statuses)
        registry.register(ChangeTailMetrics(changes))
        await stack.enter_async_context(changes.running())
        yield Adapters(
            clock=SystemClock(),
            statuses=statuses,
            changes=changes,
            public_shipments=MongoPublicShipmentReader(readable),
            links=MongoLinkStore(database),
            limiter=LotRateLimiter(RedisRateLimiter(redis)),
            probes={
                DATABASE: ping_check(partial(ping_database, readable)),
                CACHE: ping_check(partial(ping_redis, redis)),
            },
        )
