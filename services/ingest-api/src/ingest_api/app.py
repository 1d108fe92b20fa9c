"""The composition root of ingest-api: producer, reply inbox, routes."""

import secrets
from collections.abc import AsyncIterator, Callable
from typing import Final

from aiohttp import web
from opentelemetry.trace import Tracer
from prometheus_client import CollectorRegistry

from domain.ports.core import CommandLog
from httpkit.middleware.auth import TokenVerifier
from httpkit.middleware.http_metrics import new_registry
from httpkit.middleware.rate_limits import LIMITER
from httpkit.middleware.request_spans import trace_requests
from httpkit.middleware.revoked_tokens import Revocations
from httpkit.server.app_server import build_app as build_http_app
from httpkit.server.health import Health, Ping, ping_check
from ingest_api.handlers.post_events import CLOCK, COMMAND_LOG, SUBMITTER
from ingest_api.handlers.replays import REPLAYER
from ingest_api.handlers.shipment_writes import CHANGER, CREATOR, DEFAULT_WAIT_S
from ingest_api.routes import ROUTES
from ingest_api.settings import Settings
from ingest_api.shipment_quota import SHIPMENT_QUOTAS, ShipmentQuotas
from ingest_api.tracing import TracedCommandLog
from ingest_api.use_cases.shipment_changes import ShipmentChanger
from ingest_api.use_cases.shipment_creation import ShipmentCreator
from ingest_api.use_cases.submission import CommandSubmitter
from messaging.dead_letters.replayer import KafkaDeadLetterReplayer
from messaging.health import KafkaProbe
from messaging.metrics import CommandLogMetrics, ProducerMetrics
from messaging.producer.command_log import KafkaCommandLog
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from servicekit.clock import SystemClock
from storage.health import ping_redis
from storage.metrics import BreakerMetrics
from storage.mongo.accounts.revocations import RedisRevocationFeed
from storage.redis.connection import RedisClient, open_redis
from storage.redis.rate_limiter import LotRateLimiter, RedisRateLimiter
from storage.redis.replies import RedisReplyInbox

_REDIS: Final = web.AppKey[RedisClient]("redis")


class Probes:
    """Probes of Kafka: for readiness that it is reachable, for health that it accepts events.

    Each has its own connection, because a probe that times out closes it.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._presence, self._writes = KafkaProbe(kafka), KafkaProbe(kafka)
        self._topic = Topics(kafka.topic_prefix).events

    async def stop(self) -> None:
        """Close the connections."""
        await self._presence.stop()
        await self._writes.stop()

    def health(self, producer: ResilientProducer, cache: Ping) -> Health:
        """Return the service's health checks."""

        async def is_connected() -> bool:
            return producer.is_started and await self._presence.ping()

        async def event_queue() -> bool:
            return producer.is_started and await self._writes.obstacle(self._topic) is None

        return Health(
            {"cache": ping_check(cache), "event_queue": ping_check(event_queue)},
            optional=["cache"],
            readiness={"event_queue": ping_check(is_connected)},
        )


def build_app(settings: Settings, *, tracer: Tracer | None = None) -> web.Application:
    """Build the service; nothing is connected before it starts.

    Args:
        settings: the whole tree.
        tracer: creates spans of requests and of appends, if given.
    """
    producer, probes = ResilientProducer(settings.kafka), Probes(settings.kafka)
    registry = new_registry("ingest-api")
    registry.register(ProducerMetrics(producer))
    registry.register(BreakerMetrics())

    async def with_kafka(_app: web.Application) -> AsyncIterator[None]:
        async with producer.running():
            yield
        await probes.stop()

    async def cache() -> bool:
        return await ping_redis(app[_REDIS]) and revocations.is_current  # without it, old tokens are rejected

    revocations = Revocations(bound_s=settings.auth.jwt_revocation_stale_s)
    app = build_http_app(
        settings.http,
        ROUTES,
        health=probes.health(producer, cache),
        registry=registry,
        verifier=TokenVerifier(settings.auth, revocations),
        limits=settings.limits,
    )
    trace_requests(app, tracer)
    app[REPLAYER] = KafkaDeadLetterReplayer(settings.kafka, producer)
    app[DEFAULT_WAIT_S] = settings.ingest.default_wait_s
    app.on_shutdown.append(_release_waiting_requests)
    app.cleanup_ctx.append(with_kafka)
    app.cleanup_ctx.append(_with_limits(settings, revocations))
    app.cleanup_ctx.append(_with_use_cases(settings, _command_log(settings, producer, registry, tracer)))
    return app


def _command_log(
    settings: Settings, producer: ResilientProducer, registry: CollectorRegistry, tracer: Tracer | None
) -> CommandLog:
    topics, bounds = Topics(settings.kafka.topic_prefix), settings.ingest
    log = KafkaCommandLog(
        producer,
        topics,
        max_in_flight=bounds.max_in_flight,
        max_in_flight_bytes=bounds.max_in_flight_bytes,
    )
    registry.register(CommandLogMetrics(log))
    return log if tracer is None else TracedCommandLog(log, tracer, topic=topics.events)


def _with_use_cases(settings: Settings, log: CommandLog) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        async with open_redis(settings.redis) as redis:
            inbox = RedisReplyInbox(redis, settings.service.instance_id)
            submitter, clock = CommandSubmitter(log, inbox), SystemClock()
            app[CLOCK] = clock
            app[COMMAND_LOG] = log
            app[SUBMITTER] = submitter
            app[CREATOR] = ShipmentCreator(submitter, clock, entropy=secrets.token_bytes)
            app[CHANGER] = ShipmentChanger(submitter, clock)
            async with inbox.listening():
                yield

    return context


def _with_limits(
    settings: Settings, revocations: Revocations
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        async with open_redis(settings.redis) as redis:
            app[_REDIS] = redis
            app[LIMITER] = LotRateLimiter(RedisRateLimiter(redis))
            app[SHIPMENT_QUOTAS] = ShipmentQuotas(app[LIMITER], settings.limits.shipment_per_hour)
            feed = RedisRevocationFeed(redis, SystemClock(), retention_s=settings.auth.jwt_ttl_s + 120)
            async with revocations.following(feed, every_s=settings.auth.jwt_revocation_poll_s):
                yield

    return context


async def _release_waiting_requests(app: web.Application) -> None:
    """Send waiting requests their 202 now: the log has their commands, and connections are about to close."""
    app[SUBMITTER].stop_waiting()
