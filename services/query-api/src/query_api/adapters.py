"""The ports that query-api uses, and their adapters."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
)
from dataclasses import dataclass
from functools import partial
from typing import Final

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from domain.ports.core import (
    ActionLog,
    ApiKeyStore,
    EventReader,
    LoginGuard,
    RateLimiter,
    ShipmentReader,
    UserStore,
)
from domain.ports.dead_letters import DeadLetterBin, DeadLetterReader
from domain.ports.live import StatusChanges, StatusReader
from domain.ports.partitions import PartitionControl, QuarantineStore
from domain.ports.public import LinkStore, PublicShipmentReader
from domain.ports.revocations import RevocationFeed, RevocationStore
from httpkit.middleware.auth import TokenIssuer
from httpkit.server.health import Check, ping_check
from messaging.backlog import Backlog
from messaging.consumer.change_tail import ChangeTail
from messaging.health import KafkaProbe
from messaging.metrics import ChangeTailMetrics
from messaging.topics import Topics
from query_api.event_queue import EventQueue, IngestApis, Watched
from query_api.partition_depths import Depths, PartitionDepths
from query_api.settings import Settings
from servicekit.clock import SystemClock
from servicekit.settings import Environment
from storage.health import ping_database, ping_redis
from storage.metrics import BreakerMetrics, PoolMetrics
from storage.mongo.accounts.api_keys import MongoApiKeyStore
from storage.mongo.accounts.revocations import MongoRevocationStore, RedisRevocationFeed
from storage.mongo.accounts.users import MongoUserStore, PasswordHasher
from storage.mongo.database import Database, open_database, readable_without_primary
from storage.mongo.operations.dead_letter_index import MongoDeadLetterIndex
from storage.mongo.operations.operator_actions import MongoActionLog
from storage.mongo.operations.quarantine import MongoQuarantineStore
from storage.mongo.operations.shipment_links import MongoLinkStore
from storage.mongo.processing.partition_state import MongoPartitionControl
from storage.mongo.queries.public import MongoPublicShipmentReader
from storage.mongo.queries.readers import MongoDeadLetterReader, MongoEventReader, MongoShipmentReader
from storage.mongo.queries.statuses import MongoStatusReader
from storage.redis.connection import RedisClient, open_redis
from storage.redis.login_lockout import RedisLoginGuard
from storage.redis.rate_limiter import LotRateLimiter, RedisRateLimiter

DATABASE: Final = "database"
READABLE: Final = "readable"
"""MongoDB with a primary or without: there is something to read."""
CACHE: Final = "cache"
EVENT_QUEUE: Final = "event_queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """Ports of the handlers.

    Attributes:
        depths: what waits in each partition.
        probes: checks of the stores that this replica needs, by their names in `/health`; `READABLE` is for
            its readiness alone.
        event_queue: check of the whole path of events: `event_queue` of `/health`.
    """

    shipments: ShipmentReader
    statuses: StatusReader
    changes: StatusChanges
    public: PublicShipmentReader
    links: LinkStore
    events: EventReader
    dead_letters: DeadLetterReader
    bin: DeadLetterBin
    actions: ActionLog
    partitions: PartitionControl
    depths: Depths
    quarantine: QuarantineStore
    users: UserStore
    keys: ApiKeyStore
    revocations: RevocationStore
    feed: RevocationFeed
    guard: LoginGuard
    limiter: RateLimiter
    hasher: PasswordHasher
    issuer: TokenIssuer
    probes: Mapping[str, Check]
    event_queue: Check


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
        kafka = KafkaProbe(settings.kafka)
        stack.push_async_callback(kafka.stop)
        statuses = MongoStatusReader(database)
        changes = ChangeTail(settings.kafka, statuses)
        registry.register(ChangeTailMetrics(changes))
        await stack.enter_async_context(changes.running())
        hasher = stack.enter_context(_hasher(settings))
        yield Adapters(
            shipments=MongoShipmentReader(readable),
            statuses=statuses,
            changes=changes,
            public=MongoPublicShipmentReader(readable),
            links=MongoLinkStore(database),
            events=MongoEventReader(readable),
            dead_letters=MongoDeadLetterReader(database),
            bin=MongoDeadLetterIndex(database),
            actions=MongoActionLog(database),
            partitions=MongoPartitionControl(database, Topics(settings.kafka.topic_prefix).events),
            depths=await stack.enter_async_context(_depths(settings)),
            quarantine=MongoQuarantineStore(database),
            users=MongoUserStore(database, development=settings.service.env is Environment.DEVELOPMENT),
            keys=MongoApiKeyStore(database),
            revocations=MongoRevocationStore(database),
            feed=RedisRevocationFeed(redis, SystemClock(), retention_s=settings.auth.jwt_ttl_s + 120),
            guard=RedisLoginGuard(redis, settings.logins.policies()),
            limiter=LotRateLimiter(RedisRateLimiter(redis)),
            hasher=hasher,
            issuer=TokenIssuer(settings.auth),
            probes=_probes(database, redis, kafka),
            event_queue=await stack.enter_async_context(_event_queue(settings, database)),
        )


def _hasher(settings: Settings) -> AbstractContextManager[PasswordHasher]:
    passwords = settings.passwords
    return closing(PasswordHasher(cost=passwords.bcrypt_cost, threads=passwords.bcrypt_threads))


@asynccontextmanager
async def _depths(settings: Settings) -> AsyncIterator[Depths]:
    # Separate from that of the health check, because a Backlog is made for one caller at a time.
    backlog = Backlog(settings.kafka, settings.health.processor_group)
    try:
        yield PartitionDepths(backlog).of
    finally:
        await backlog.stop()


@asynccontextmanager
async def _event_queue(settings: Settings, database: Database) -> AsyncIterator[Check]:
    topic = Topics(settings.kafka.topic_prefix).events
    # Separate from the probe of readiness, because a probe that times out closes its connection.
    probe = KafkaProbe(settings.kafka)
    backlog = Backlog(settings.kafka, settings.health.processor_group)
    async with aiohttp.ClientSession() as session:
        watched = Watched(
            topic=topic,
            ingest=IngestApis(session, settings.health.ingest_upstreams.split()),
            probe=probe,
            backlog=backlog,
            partitions=MongoPartitionControl(database, topic),
        )
        queue = EventQueue(watched, SystemClock(), limit_s=settings.health.event_age_limit_s)
        try:
            yield queue.state
        finally:
            await backlog.stop()
            await probe.stop()


def _probes(database: Database, redis: RedisClient, kafka: KafkaProbe) -> dict[str, Check]:
    return {
        DATABASE: ping_check(partial(ping_database, database)),
        READABLE: ping_check(partial(ping_database, readable_without_primary(database))),
        CACHE: ping_check(partial(ping_redis, redis)),
        EVENT_QUEUE: ping_check(kafka.ping),
    }
