"""The wiring of ingest-api: a producer, an inbox for answers, and the routes."""

import secrets
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from domain.ports import CommandLog
from httpkit.auth import TokenVerifier
from httpkit.clock import SystemClock
from httpkit.health import Check, Health, State
from httpkit.limits import LIMITER
from httpkit.metrics import new_registry
from httpkit.revocations import Revocations
from httpkit.server import build_app as build_http_app
from ingest_api.awaiting import AwaitedLog
from ingest_api.changing import ShipmentChanger
from ingest_api.creation import ShipmentCreator
from ingest_api.handlers.dead_letters import REPLAYER
from ingest_api.handlers.events import REPORTER
from ingest_api.handlers.shipments import CHANGER, CREATOR, DEFAULT_WAIT_S
from ingest_api.reporting import EventReporter
from ingest_api.routes import ROUTES
from ingest_api.settings import Settings
from messaging.command_log import KafkaCommandLog
from messaging.producer import ResilientProducer
from messaging.replaying import KafkaDeadLetterReplayer
from messaging.topics import Topics
from storage.answers import RedisAnswerInbox
from storage.client import open_redis
from storage.limits import LotRateLimiter, RedisRateLimiter
from storage.revocations import RedisRevocationFeed


def build_app(settings: Settings) -> web.Application:
    """Build the service; nothing is connected before it starts."""
    producer = ResilientProducer(settings.kafka)
    log = KafkaCommandLog(
        producer, Topics(settings.kafka.topic_prefix), max_in_flight=settings.ingest.max_in_flight
    )

    async def with_producer(_app: web.Application) -> AsyncIterator[None]:
        async with producer.running():
            yield

    revocations = Revocations()
    app = build_http_app(
        settings.http,
        ROUTES,
        health=Health({"event_queue": _started(producer)}),
        registry=new_registry(),
        verifier=TokenVerifier(settings.auth, revocations),
        limits=settings.limits,
    )
    app[REPLAYER] = KafkaDeadLetterReplayer(settings.kafka, producer)
    app[DEFAULT_WAIT_S] = settings.ingest.default_wait_s
    app.cleanup_ctx.append(with_producer)
    app.cleanup_ctx.append(_with_limits(settings, revocations))
    app.cleanup_ctx.append(_with_use_cases(settings, log))
    return app


def _with_use_cases(settings: Settings, log: CommandLog) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        async with open_redis(settings.redis) as redis:
            inbox = RedisAnswerInbox(redis, settings.service.instance_id)
            awaited, clock = AwaitedLog(log, inbox), SystemClock()
            app[REPORTER] = EventReporter(log, awaited, clock)
            app[CREATOR] = ShipmentCreator(awaited, clock, entropy=secrets.token_bytes)
            app[CHANGER] = ShipmentChanger(awaited, clock)
            async with inbox.listening():
                yield

    return context


def _with_limits(
    settings: Settings, revocations: Revocations
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        async with open_redis(settings.redis) as redis:
            app[LIMITER] = LotRateLimiter(RedisRateLimiter(redis))
            feed = RedisRevocationFeed(redis, SystemClock(), keep_s=settings.auth.jwt_ttl_s + 120)
            async with revocations.following(feed, every_s=settings.auth.jwt_revocation_poll_s):
                yield

    return context


def _started(producer: ResilientProducer) -> Check:
    async def check() -> State:
        return State.OK if producer.is_started else State.DOWN

    return check
