"""The processor's wiring: stores, producer, consumer loop, and a small server for health and metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from httpkit.clock import SystemClock
from httpkit.health import Check, Health, State
from httpkit.metrics import new_registry
from httpkit.server import build_app, serving
from messaging.changes import KafkaChangeFeed
from messaging.dead_letters import KafkaDeadLetters
from messaging.handler import PartitionHandler
from messaging.producer import ResilientProducer
from messaging.runtime import PartitionRuntime, RuntimeSettings
from messaging.topics import Topics
from processor.metrics import ProcessorMetrics
from processor.partition import Ports, ShipmentPartition
from processor.quarantine import Quarantine
from processor.settings import Settings
from storage.answers import RedisAnswers
from storage.client import open_database, open_redis
from storage.dead_letters import MongoDeadLetterIndex
from storage.dedup import RedisDuplicateFilter
from storage.line import MongoPartitionNotes
from storage.quarantine import MongoQuarantineStore
from storage.shipments import MongoShipmentStore


@asynccontextmanager
async def open_ports(
    settings: Settings, producer: ResilientProducer, registry: CollectorRegistry
) -> AsyncIterator[Ports]:
    """Open what applying needs; waits for no server."""
    topics = Topics(settings.kafka.topic_prefix)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings.mongo))
        redis = await stack.enter_async_context(open_redis(settings.redis))
        quarantine = Quarantine(MongoQuarantineStore(database))
        await stack.enter_async_context(quarantine.kept_fresh())
        yield Ports(
            store=MongoShipmentStore(database),
            notes=MongoPartitionNotes(database),
            quarantine=quarantine,
            duplicates=RedisDuplicateFilter(redis, clock),
            feed=KafkaChangeFeed(producer, topics),
            answers=RedisAnswers(redis),
            dead_letters=KafkaDeadLetters(producer, topics),
            index=MongoDeadLetterIndex(database),
            clock=clock,
            metrics=ProcessorMetrics(registry),
        )


def build_runtime(settings: Settings, ports: Ports) -> PartitionRuntime:
    """Build the consumer loop over the topic of all commands."""
    loop = settings.loop

    def handler_of(partition: TopicPartition) -> PartitionHandler:
        return ShipmentPartition(
            f"{partition.topic}/{partition.partition}",
            ports,
            owner=settings.service.instance_id,
            cache_size=loop.cached_shipments,
        )

    runtime_settings = RuntimeSettings(
        brokers=settings.kafka.brokers,
        topic=Topics(settings.kafka.topic_prefix).events,
        group=loop.group,
        instance=settings.service.instance_id,
        group_instance=loop.group_instance,
        max_batch=loop.max_batch,
        concurrency=loop.concurrency,
        session_timeout_s=loop.session_timeout_s,
        drain_s=loop.drain_s,
        stalled_after_s=loop.stalled_after_s,
    )
    return PartitionRuntime(runtime_settings, handler_of)


async def run_processor(settings: Settings, stop: asyncio.Event) -> None:
    """Apply events until `stop`; then finish what is in work and leave the group.

    Raises:
        RuntimeStopped: the loop cannot go on; start the process again.
    """
    registry = new_registry()
    producer = ResilientProducer(settings.kafka)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(producer.running())
        ports = await stack.enter_async_context(open_ports(settings, producer, registry))
        runtime = build_runtime(settings, ports)
        ports.metrics.watch_halted(lambda: runtime.halted)
        health = Health({}, readiness={"partitions": _assigned(runtime)})
        await stack.enter_async_context(
            serving(build_app(settings.http, [], health=health, registry=registry), settings.http)
        )
        stopper = asyncio.create_task(_stop_on(stop, runtime))
        try:
            await runtime.run()
        finally:
            stopper.cancel()


async def _stop_on(stop: asyncio.Event, runtime: PartitionRuntime) -> None:
    await stop.wait()
    runtime.stop()


def _assigned(runtime: PartitionRuntime) -> Check:
    async def check() -> State:
        return State.OK if runtime.is_ready else State.DOWN

    return check
