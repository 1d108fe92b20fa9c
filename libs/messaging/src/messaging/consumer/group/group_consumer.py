"""The consumer of a group member: its options; start and stop, which aiokafka leaves without a time limit."""

import asyncio
import contextlib
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from messaging.consumer.consumer_settings import ConsumerSettings
from messaging.unpacking import tolerant_consumer

_log = structlog.get_logger(__name__)

_LEAVE_S: Final = 2.0
_RETRY_S: Final = 1.0
_METADATA_MAX_AGE_MS: Final = 10_000
_NEVER_MS: Final = 2**31 - 1


def group_consumer(settings: ConsumerSettings) -> AIOKafkaConsumer:
    """Create a consumer that commits, resets and polls only when this package says so."""
    return tolerant_consumer(
        **settings.kafka.connection(),
        group_id=settings.group,
        client_id=settings.instance,
        group_instance_id=settings.group_instance,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=256 * 1024,
        session_timeout_ms=int(settings.session_timeout_s * 1000),
        heartbeat_interval_ms=int(settings.session_timeout_s * 1000 / 4),
        rebalance_timeout_ms=int(settings.rebalance_timeout_s * 1000),
        metadata_max_age_ms=_METADATA_MAX_AGE_MS,
        # A member without partitions, or whose partitions are all halted, fetches nothing: aiokafka
        # would take it for hung, leave the group, and not join again.
        max_poll_interval_ms=_NEVER_MS,
    )


async def start(consumer: AIOKafkaConsumer, stopping: asyncio.Event) -> None:
    """Start a consumer once Kafka is reachable, unless `stopping` is set first."""
    while not stopping.is_set():
        try:
            await consumer.start()
        except (KafkaError, OSError) as error:
            _log.warning("kafka_unreachable", error=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _RETRY_S)
        else:
            return


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Leave the group and close, within a time limit."""
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        await asyncio.wait_for(consumer.stop(), _LEAVE_S)
