"""Where a partition's log begins and ends, and how far the group is behind."""

import asyncio
from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from domain.errors import StoreUnavailable
from domain.line import Start
from messaging.partition import PartitionWorker

ANSWER_TIMEOUT_S: Final = 3.0


async def restart_offset(
    consumer: AIOKafkaConsumer, partition: TopicPartition, worker: PartitionWorker
) -> int:
    """Return from where a partition that stood still is to be read."""
    if worker.restart is Start.COMMITTED:
        committed = worker.done if worker.done is not None else await consumer.committed(partition)
        if committed is not None:
            return int(committed)
    return int((await consumer.beginning_offsets([partition]))[partition])


async def end_offset(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int:
    """Return where a partition's log ends.

    Raises:
        StoreUnavailable: Kafka does not say.
    """
    try:
        ends = await consumer.end_offsets([partition])
    except KafkaError as error:
        raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error
    return int(ends[partition])


async def is_behind(consumer: AIOKafkaConsumer, partition: TopicPartition) -> bool:
    """Say whether records wait that the consumer has not fetched; no, where Kafka does not answer."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            position = await consumer.position(partition)
            return bool(position < await end_offset(consumer, partition))
    except (KafkaError, StoreUnavailable, IllegalStateError, TimeoutError):
        return False


async def lags(
    consumer: AIOKafkaConsumer, workers: Mapping[TopicPartition, PartitionWorker]
) -> dict[int, int] | None:
    """Return how many records of each partition are not applied yet; None where Kafka does not answer.

    Counted from what is done, or else committed: what is fetched and waits in memory is behind, too.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            ends = await consumer.end_offsets(list(workers)) if workers else {}
            return {
                partition.partition: max(0, ends[partition] - await _done(consumer, partition, worker))
                for partition, worker in workers.items()
            }
    except (KafkaError, IllegalStateError, TimeoutError):
        return None


async def _done(consumer: AIOKafkaConsumer, partition: TopicPartition, worker: PartitionWorker) -> int:
    done = worker.done if worker.done is not None else await consumer.committed(partition)
    if done is None:
        done = (await consumer.beginning_offsets([partition]))[partition]
    return int(done)
