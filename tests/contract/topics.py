"""Kafka as the suites need it: a producer that is ready, and what a topic holds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord

from messaging.producer import ResilientProducer
from messaging.settings import KafkaSettings

DEADLINE_S = 15.0


@asynccontextmanager
async def producer_on(settings: KafkaSettings) -> AsyncIterator[ResilientProducer]:
    """Run a producer, and wait until it is connected."""
    producer = ResilientProducer(settings)
    async with producer.running():
        async with asyncio.timeout(DEADLINE_S):
            while not producer.is_started:  # noqa: ASYNC110  # the producer says it only when asked
                await asyncio.sleep(0.01)
        yield producer


async def read_topic(settings: KafkaSettings, topic: str, count: int) -> list[ConsumerRecord]:
    """Return the first `count` records of a topic, those of one partition in their order."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=settings.brokers, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        async with asyncio.timeout(DEADLINE_S):
            return [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()
