"""Moving the offsets of a group ahead, past records that it need not read; before its first member joins."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError

from domain.errors import StoreUnavailable
from messaging.consumer.consumer_settings import ConsumerSettings

_log = structlog.get_logger(__name__)

_TIMEOUT_S: Final = 10.0

Offsets = Mapping[TopicPartition, int]


async def move_ahead(settings: ConsumerSettings, instant: datetime) -> None:
    """Move a group to the first records since an instant, in the partitions where it is not beyond them.

    An offset that the log does not reach is of a topic that was re-created, and is replaced. While the group
    has members, theirs count, and nothing is moved.

    Raises:
        StoreUnavailable: Kafka does not respond, or has no such topic; offsets may have been moved.
    """
    consumer = AIOKafkaConsumer(
        **settings.kafka.connection(),
        group_id=settings.group,
        client_id=settings.instance,
        enable_auto_commit=False,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            await consumer.start()
            await _move(consumer, settings, int(instant.timestamp() * 1000))
    except (KafkaError, OSError, TimeoutError) as error:
        raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error
    finally:
        await consumer.stop()


async def _move(consumer: AIOKafkaConsumer, settings: ConsumerSettings, since_ms: int) -> None:
    partitions = await _partitions(consumer, settings.topic)
    committed = {each: await consumer.committed(each) for each in partitions}
    # The ends first: what is appended after them is searched for, or lies beyond them.
    ends = await consumer.end_offsets(partitions)
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, max(0, since_ms)))
    first = {each: ends[each] if found[each] is None else found[each].offset for each in partitions}
    ahead = {
        each: first[each]
        for each in partitions
        if committed[each] is None or not first[each] <= committed[each] <= ends[each]
    }
    if not ahead:
        return
    consumer.assign(list(ahead))
    try:
        await consumer.commit(ahead)
    except CommitFailedError:
        _log.info("group_has_members", group=settings.group)
    else:
        _log.info(
            "group_moved", group=settings.group, offsets={each.partition: to for each, to in ahead.items()}
        )


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    await consumer.topics()  # of a topic that nobody has asked for, the client knows nothing
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise StoreUnavailable(f"Kafka has no topic {topic}")
    return [TopicPartition(topic, number) for number in sorted(numbers)]
