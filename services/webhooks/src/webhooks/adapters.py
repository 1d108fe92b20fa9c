"""Connections and ports of webhooks, and their adapters."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from domain.ports.core import Clock, RateLimiter
from domain.ports.revocations import RevocationFeed
from httpkit.server.health import Check, ping_check
from messaging.health import KafkaProbe
from servicekit.clock import SystemClock
from storage.health import ping_database, ping_redis
from storage.metrics import BreakerMetrics, PoolMetrics
from storage.mongo.accounts.revocations import RedisRevocationFeed
from storage.mongo.database import Database, open_database
from storage.redis.connection import RedisClient, open_redis
from storage.redis.rate_limiter import LotRateLimiter, RedisRateLimiter
from webhooks.sealing import SecretSealer
from webhooks.sending.address_guard import AddressGuard
from webhooks.sending.sender import Sender, open_sender
from webhooks.settings import Settings
from webhooks.stores.delivery_reader import MongoDeliveryReader
from webhooks.stores.endpoints import MongoEndpointStore
from webhooks.stores.replays import MongoReplayStore

DATABASE: Final = "database"
CACHE: Final = "cache"
EVENT_QUEUE: Final = "event_queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """Ports of the handlers, of the fan-out and of the dispatcher.

    Attributes:
        database: for the stores of fan-out and dispatcher.
        probes: checks of what this replica needs, by their names in `/health`.
    """

    clock: Clock
    database: Database
    endpoints: MongoEndpointStore
    deliveries: MongoDeliveryReader
    replays: MongoReplayStore
    guard: AddressGuard
    sender: Sender
    sealer: SecretSealer
    feed: RevocationFeed
    limiter: RateLimiter
    probes: Mapping[str, Check]


ADAPTERS: Final = web.AppKey("adapters", Adapters)


@asynccontextmanager
async def open_adapters(settings: Settings, registry: CollectorRegistry) -> AsyncIterator[Adapters]:
    """Open the stores without waiting for them; at exit, close all connections."""
    registry.register(BreakerMetrics())
    clock, guard = SystemClock(), AddressGuard(settings.webhooks.allowed_networks)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings.mongo, PoolMetrics(registry)))
        redis = await stack.enter_async_context(open_redis(settings.redis))
        kafka = KafkaProbe(settings.kafka)
        stack.push_async_callback(kafka.stop)
        yield Adapters(
            clock=clock,
            database=database,
            endpoints=MongoEndpointStore(database),
            deliveries=MongoDeliveryReader(database),
            replays=MongoReplayStore(database),
            guard=guard,
            sender=await stack.enter_async_context(open_sender(guard, clock)),
            sealer=SecretSealer(settings.webhooks.key_list()),
            feed=RedisRevocationFeed(redis, clock, retention_s=settings.auth.jwt_ttl_s + 120),
            limiter=LotRateLimiter(RedisRateLimiter(redis)),
            probes=_probes(database, redis, kafka),
        )


def _probes(database: Database, redis: RedisClient, kafka: KafkaProbe) -> dict[str, Check]:
    return {
        DATABASE: ping_check(partial(ping_database, database)),
        CACHE: ping_check(partial(ping_redis, redis)),
        EVENT_QUEUE: ping_check(kafka.ping),
    }
