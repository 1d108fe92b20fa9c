"""From where a partition is read anew, and how far the group is behind."""

import asyncio
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from domain.line import Start
from messaging.partition import PartitionWorker
from messaging.position import ANSWER_TIMEOUT_S


async def restart_offset(
    consumer: AIOKafkaConsumer, partition: TopicPartition, worker: PartitionWorker
) -> int:
    """Return from where a partition that stood still is to be read."""
    if worker.restart is Start.COMMITTED:
        committed = worker.done if worker.done is not None else await consumer.committed(partition)
        if committed is not None:
            return int(committed)
    return int((await consumer.beginning_offsets([partition]))[partition])


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
