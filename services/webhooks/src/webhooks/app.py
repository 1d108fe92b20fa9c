"""The composition root of webhooks: stores, management routes, fan-out and dispatcher."""

import asyncio
from contextlib import AsyncExitStack

from aiohttp import web
from opentelemetry.trace import Tracer
from prometheus_client import CollectorRegistry

import httpkit.server.app_server
from httpkit.listing.list_turns import LIST_SLOTS, ListSlots
from httpkit.middleware.auth import TokenVerifier
from httpkit.middleware.http_metrics import new_registry
from httpkit.middleware.rate_limits import LIMITER
from httpkit.middleware.request_spans import trace_requests
from httpkit.middleware.revoked_tokens import Revocations
from httpkit.server.app_server import serving
from httpkit.server.health import Check, Health, State
from messaging.metrics import ConsumerMetrics
from webhooks.adapters import ADAPTERS, CACHE, EVENT_QUEUE, Adapters, open_adapters
from webhooks.dispatching.delivering import Delivering, DeliveringParts
from webhooks.fanout.fan_out import FanOut, consumer_settings
from webhooks.metrics import WebhookMetrics
from webhooks.routes import ROUTES
from webhooks.settings import Settings
from webhooks.use_cases.services import SERVICES, Services, wire_services
from webhooks.workers import ReplicaWorkers, run_workers


async def run_webhooks(settings: Settings, stop: asyncio.Event, *, tracer: Tracer | None = None) -> None:
    """Fan out changes, send deliveries and serve their management until `stop`; then end attempts in flight.

    Args:
        settings: the whole tree.
        stop: set to end.
        tracer: creates spans of requests, if given.
    """
    registry = new_registry("webhooks")
    async with AsyncExitStack() as stack:
        adapters = await stack.enter_async_context(open_adapters(settings, registry))
        revocations = Revocations(bound_s=settings.auth.jwt_revocation_stale_s)
        await stack.enter_async_context(
            revocations.following(adapters.feed, every_s=settings.auth.jwt_revocation_poll_s)
        )
        workers = build_workers(settings, adapters, registry)
        verifier = TokenVerifier(settings.auth, revocations)
        services = wire_services(adapters, workers)
        app = build_app(settings, adapters, services, registry, verifier, _accepting(stop))
        trace_requests(app, tracer)
        await stack.enter_async_context(serving(app, settings.http))
        await run_workers(workers.all, stop, drain_s=settings.webhooks.drain_s)


def build_workers(settings: Settings, adapters: Adapters, registry: CollectorRegistry) -> ReplicaWorkers:
    """Build what runs beside the server: fan-out and delivering."""
    webhooks, instance = settings.webhooks, settings.service.instance_id
    metrics = WebhookMetrics(registry, slots=webhooks.slots)
    delivering = Delivering(
        DeliveringParts(
            database=adapters.database,
            sender=adapters.sender,
            sealer=adapters.sealer,
            metrics=metrics,
            clock=adapters.clock,
            owner=instance,
            slots=webhooks.slots,
        )
    )
    consumer = consumer_settings(settings.kafka, group=webhooks.group, instance=instance)
    fan_out = FanOut(consumer, adapters.database, delivering.wake, adapters.clock, metrics.count_held)
    registry.register(ConsumerMetrics(fan_out, webhooks.group))
    return ReplicaWorkers(fan_out, delivering)


def build_app(
    settings: Settings,
    adapters: Adapters,
    services: Services,
    registry: CollectorRegistry,
    verifier: TokenVerifier,
    accepting: Check,
) -> web.Application:
    """Build the HTTP app.

    Args:
        settings: the whole tree.
        adapters: ports of the handlers.
        services: use cases of the handlers.
        registry: where the metrics are.
        verifier: checks tokens.
        accepting: a check that is down once the service is stopping.
    """
    app = httpkit.server.app_server.build_app(
        settings.http,
        ROUTES,
        health=_health(adapters, accepting),
        registry=registry,
        verifier=verifier,
        limits=settings.limits,
    )
    app[ADAPTERS], app[SERVICES] = adapters, services
    app[LIMITER], app[LIST_SLOTS] = adapters.limiter, ListSlots()
    return app


def _health(adapters: Adapters, accepting: Check) -> Health:
    """Return the health checks; without Kafka, endpoints are managed and what is due is sent all the same."""
    return Health(adapters.probes, optional=[CACHE, EVENT_QUEUE], readiness={"accepting": accepting})


def _accepting(stop: asyncio.Event) -> Check:
    async def check() -> State:
        return State.DOWN if stop.is_set() else State.OK

    return check
