"""Wiring of the processor: stores, producer, consumer loop, and a server for health and metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiokafka import TopicPartition
from opentelemetry.trace import Tracer
from prometheus_client import CollectorRegistry

from httpkit.middleware.http_metrics import new_registry
from httpkit.server.app_server import build_app, serving
from httpkit.server.health import Health, State, ping_check
from messaging.consumer.consumer_settings import RuntimeSettings
from messaging.consumer.handler import PartitionHandler
from messaging.consumer.runtime import PartitionRuntime
from messaging.dead_letters.records import KafkaDeadLetters
from messaging.health import KafkaProbe
from messaging.log.generations import Generation, LogPartition, first_generation
from messaging.metrics import PartitionMetrics, ProducerMetrics
from messaging.producer.change_feed import KafkaChangeFeed
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.topics import Topics
from processor.log_runtime import LogRuntime
from processor.metrics import ProcessorMetrics
from processor.settings import Settings
from processor.tracing import TracedPartition, TracedShipmentStore
from processor.use_cases.ports import Ports
from processor.use_cases.quarantine import Quarantine
from processor.use_cases.shipment_partition import ShipmentPartition
from servicekit.clock import SystemClock
from storage.health import ping_database, ping_redis
from storage.metrics import BreakerMetrics, PoolMetrics
from storage.mongo.database import Database, open_database
from storage.mongo.operations.dead_letter_index import MongoDeadLetterIndex
from storage.mongo.operations.quarantine import MongoQuarantineStore
from storage.mongo.processing.partition_state import MongoPartitionStateStore
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.redis.connection import RedisClient, open_redis
from storage.redis.duplicate_filter import RedisDuplicateFilter
from storage.redis.replies import RedisReplies


@dataclass(frozen=True, slots=True)
class Stores:
    """Connections to the stores, and an optional tracer."""

    database: Database
    redis: RedisClient
    tracer: Tracer | None = None


@asynccontextmanager
async def open_stores(
    settings: Settings, registry: CollectorRegistry, tracer: Tracer | None = None
) -> AsyncIterator[Stores]:
    """Open the stores; does not wait for the servers."""
    registry.register(BreakerMetrics())
    async with (
        open_database(settings.mongo, PoolMetrics(registry)) as database,
        open_redis(settings.redis) as redis,
    ):
        yield Stores(database, redis, tracer)


@asynccontextmanager
async def open_ports(
    settings: Settings, producer: ResilientProducer, registry: CollectorRegistry
) -> AsyncIterator[Ports]:
    """Open the ports of `ShipmentPartition`, on stores of its own."""
    async with (
        open_stores(settings, registry) as stores,
        ports_on(stores, settings, producer, registry) as ports,
    ):
        yield ports


@asynccontextmanager
async def ports_on(
    stores: Stores, settings: Settings, producer: ResilientProducer, registry: CollectorRegistry
) -> AsyncIterator[Ports]:
    """Open the ports of `ShipmentPartition`, on open stores."""
    topics = Topics(settings.kafka.topic_prefix)
    clock = SystemClock()
    quarantine = Quarantine(MongoQuarantineStore(stores.database))
    async with quarantine.refreshed_regularly():
        yield Ports(
            store=(
                MongoShipmentStore(stores.database)
                if stores.tracer is None
                else TracedShipmentStore(stores.database, stores.tracer)
            ),
            partition_state=MongoPartitionStateStore(stores.database),
            quarantine=quarantine,
            duplicates=RedisDuplicateFilter(stores.redis, clock),
            feed=KafkaChangeFeed(producer, topics),
            replies=RedisReplies(stores.redis),
            dead_letters=KafkaDeadLetters(producer, topics),
            index=MongoDeadLetterIndex(stores.database),
            clock=clock,
            metrics=ProcessorMetrics(registry),
            hold=settings.early_events.hold,
        )


def build_runtime(
    settings: Settings,
    ports: Ports,
    generation: Generation,
    after: Generation | None = None,
    *,
    tracer: Tracer | None = None,
) -> PartitionRuntime:
    """Build the consumer loop over one generation of the log, given the one before it."""
    loop = settings.loop
    owner, cache_size = settings.service.instance_id, loop.cached_shipments

    def handler_of(partition: TopicPartition) -> PartitionHandler:
        place = LogPartition(generation, partition.partition, after)
        if tracer is None:
            return ShipmentPartition(place, ports, owner=owner, cache_size=cache_size)
        return TracedPartition(place, ports, tracer, owner=owner, cache_size=cache_size)

    runtime_settings = RuntimeSettings(
        kafka=settings.kafka.model_copy(update={"partitions": generation.partitions}),
        topic=generation.topic,
        group=loop.group + generation.group,
        instance=settings.service.instance_id,
        group_instance=loop.group_instance,
        max_batch=loop.max_batch,
        concurrency=loop.concurrency,
        session_timeout_s=loop.session_timeout_s,
        drain_s=loop.drain_s,
        stalled_after_s=loop.stalled_after_s,
    )
    return PartitionRuntime(runtime_settings, handler_of, ports.cycle.turn)


async def run_processor(settings: Settings, stop: asyncio.Event, *, tracer: Tracer | None = None) -> None:
    """Apply events until `stop`; then finish batches in flight and leave the group.

    Args:
        settings: of the processor.
        stop: set to end.
        tracer: for spans of applied batches; None: no spans.

    Raises:
        RuntimeStopped: the loop cannot continue; restart the process.
    """
    registry = new_registry("processor")
    producer = ResilientProducer(settings.kafka)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(producer.running())
        stores = await stack.enter_async_context(open_stores(settings, registry, tracer))
        kafka = KafkaProbe(settings.kafka)
        stack.push_async_callback(kafka.stop)
        ports = await stack.enter_async_context(ports_on(stores, settings, producer, registry))
        runtime = LogRuntime(
            first_generation(settings.kafka),
            partial(build_runtime, settings, ports, tracer=tracer),
            kafka=kafka,
            state=ports.partition_state,
        )
        registry.register(PartitionMetrics(runtime))
        registry.register(ProducerMetrics(producer))
        health = _health(stores, kafka, runtime, stop)
        await stack.enter_async_context(
            serving(build_app(settings.http, [], health=health, registry=registry), settings.http)
        )
        stopper = asyncio.create_task(_stop_on(stop, runtime))
        try:
            await runtime.run()
        finally:
            stopper.cancel()


async def _stop_on(stop: asyncio.Event, runtime: LogRuntime) -> None:
    await stop.wait()
    runtime.stop()


def _health(stores: Stores, kafka: KafkaProbe, runtime: LogRuntime, stop: asyncio.Event) -> Health:
    async def partitions() -> State:
        return State.OK if runtime.is_ready and not stop.is_set() else State.DOWN

    return Health(
        {
            "database": ping_check(partial(ping_database, stores.database)),
            "cache": ping_check(partial(ping_redis, stores.redis)),
            "event_queue": ping_check(kafka.ping),
        },
        optional=["cache"],
        readiness={"partitions": partitions},
    )
