"""Moving the offsets of a group ahead, past records that it need not read; before its first member joins."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, KafkaError

from domain.errors import StoreUnavailable
from messaging.consumer.consumer_settings import ConsumerSettings
from messaging.consumer.group.group_consumer import stop

_log = structlog.get_logger(__name__)

_TIMEOUT_S: Final = 15.0

Offsets = Mapping[TopicPartition, int]


async def move_ahead(settings: ConsumerSettings, instant: datetime) -> None:
    """Move a group to the first records since an instant, in the partitions where it is not beyond them.

    An offset that the log does not reach is of a topic that was re-created, and is replaced. While the group
    has members, theirs count, and nothing is moved.

    Raises:
        StoreUnavailable: Kafka does not respond, or has no such topic; offsets may have been moved.
    """
    try:
        async with asyncio.timeout(_TIMEOUT_S), _outside_of_group(settings) as consumer:
            offsets = await _offsets_ahead(consumer, int(instant.timestamp() * 1000))
            if offsets:
                await _commit(consumer, settings.group, offsets)
    except (KafkaError, OSError, TimeoutError, AssertionError) as error:
        # aiokafka asserts that it knows a broker, and knows none while the only one is fenced off.
        raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error


@asynccontextmanager
async def _outside_of_group(settings: ConsumerSettings) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a consumer that may commit for the group, without being a member: one that fetches nothing."""
    consumer = AIOKafkaConsumer(
        **settings.kafka.connection(),
        group_id=settings.group,
        client_id=settings.instance,
        enable_auto_commit=False,
    )
    try:
        partitions = await _partitions(settings)
        await consumer.start()
        consumer.assign(partitions)
        consumer.pause(*partitions)
        yield consumer
    finally:
        await stop(consumer)


async def _partitions(settings: ConsumerSettings) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(**settings.kafka.connection(), client_id=settings.instance)
    try:
        await admin.start()
        [topic] = await admin.describe_topics([settings.topic])
    finally:
        await admin.close()
    if not topic["partitions"]:
        raise StoreUnavailable(f"Kafka has no topic {settings.topic}")
    return [TopicPartition(settings.topic, each["partition"]) for each in topic["partitions"]]


async def _offsets_ahead(consumer: AIOKafkaConsumer, since_ms: int) -> Offsets:
    """Return the offset to move to of each partition that is to be moved."""
    partitions = sorted(consumer.assignment())
    offsets = await asyncio.gather(*map(consumer.committed, partitions))
    committed = dict(zip(partitions, offsets, strict=True))
    # The ends first: what is appended after them is searched for, or lies beyond them.
    ends = await consumer.end_offsets(partitions)
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, max(0, since_ms)))
    first = {each: ends[each] if found[each] is None else found[each].offset for each in partitions}
    return {
        each: first[each]
        for each in partitions
        if committed[each] is None or not first[each] <= committed[each] <= ends[each]
    }


async def _commit(consumer: AIOKafkaConsumer, group: str, offsets: Offsets) -> None:
    try:
        await consumer.commit(offsets)
    except CommitFailedError:
        _log.info("group_has_members", group=group)
    else:
        moved = {each.partition: offset for each, offset in offsets.items()}
        _log.info("group_moved", group=group, offsets=moved)
