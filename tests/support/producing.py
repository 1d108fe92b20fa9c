"""A started producer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from messaging.producer.idempotent_producer import ResilientProducer
from messaging.settings import KafkaSettings
from tests.support.waiting import wait_until


@asynccontextmanager
async def producer_on(settings: KafkaSettings) -> AsyncIterator[ResilientProducer]:
    """Run a producer, and wait for its connection."""
    producer = ResilientProducer(settings)
    async with producer.running():
        await wait_until(lambda: producer.is_started, timeout_s=10, what="a producer")
        yield producer
