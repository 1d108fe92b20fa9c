"""Offsets to resume from, and the lag of the group."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from domain.processing.halts import Start
from messaging.consumer.partition_worker import PartitionWorker
from messaging.consumer.position import RESPONSE_TIMEOUT_S

REFRESH_EVERY_S: Final = 2.0
_MAX_MISSES: Final = 5
_POSITION_TIMEOUT_S: Final = 0.5

Workers = Callable[[], Mapping[TopicPartition, PartitionWorker]]


async def restart_offset(
    consumer: AIOKafkaConsumer, partition: TopicPartition, worker: PartitionWorker
) -> int:
    """Return the offset from which a halted partition resumes."""
    if worker.restart is Start.NEXT and worker.skip_to is not None:
        end = (await consumer.end_offsets([partition]))[partition]
        return min(worker.skip_to, int(end))
    if worker.restart is Start.COMMITTED:
        committed = worker.done if worker.done is not None else await consumer.committed(partition)
        if committed is not None:
            return int(committed)
    return int((await consumer.beginning_offsets([partition]))[partition])


async def log_range(consumer: AIOKafkaConsumer, partition: TopicPartition) -> range | None:
    """Return the offsets in the log of a partition; None where Kafka does not respond."""
    try:
        async with asyncio.timeout(RESPONSE_TIMEOUT_S):
            begins = await consumer.beginning_offsets([partition])
            ends = await consumer.end_offsets([partition])
    except (KafkaError, TimeoutError):
        return None
    return range(begins[partition], ends[partition])


async def is_positioned_at(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> bool:
    """Say whether `offset` is fetched next; False where that is not known."""
    try:
        async with asyncio.timeout(RESPONSE_TIMEOUT_S):
            return bool(await consumer.position(partition) == offset)
    except (KafkaError, IllegalStateError, TimeoutError):
        return False


class Lags:
    """The lag of a group, refreshed regularly.

    Attributes:
        known: records of each partition that were not applied yet, seconds ago; empty where not known.
    """

    def __init__(self) -> None:
        self.known: Mapping[int, int] = {}

    async def refresh(self, consumer: AIOKafkaConsumer, workers: Workers) -> None:
        """Refresh until cancelled; a lag that Kafka has not returned for a while is dropped."""
        misses = 0
        while True:
            found = await lags(consumer, dict(workers()))
            misses = 0 if found is not None else misses + 1
            if found is not None or misses > _MAX_MISSES:
                self.known = found or {}
            await asyncio.sleep(REFRESH_EVERY_S)


async def lags(
    consumer: AIOKafkaConsumer, workers: Mapping[TopicPartition, PartitionWorker]
) -> dict[int, int] | None:
    """Return how many records of each partition are not applied yet; None where Kafka does not respond.

    Counted from the done or else the committed offset: fetched records that wait in memory count, too. Where
    nothing waits, counted from the position: between the two lies nothing that can be applied, only markers
    of transactions, aborted records and what compaction has removed.
    """
    try:
        async with asyncio.timeout(RESPONSE_TIMEOUT_S):
            ends = await consumer.end_offsets(list(workers)) if workers else {}
            behind = [
                _behind(consumer, partition, worker, ends[partition]) for partition, worker in workers.items()
            ]
            found = await asyncio.gather(*behind)
    except (KafkaError, IllegalStateError, TimeoutError):
        return None
    return {partition.partition: lag for partition, lag in zip(workers, found, strict=True)}


async def _behind(
    consumer: AIOKafkaConsumer, partition: TopicPartition, worker: PartitionWorker, end: int
) -> int:
    # An open transaction hides what follows it. That waits to be read, so it counts.
    end = max(end, consumer.highwater(partition) or 0)
    position = await _idle_position(consumer, partition, worker)
    if position is not None and position >= end:
        return 0
    done = await _done(consumer, partition, worker)
    return max(0, end - max(done, position or 0))


async def _idle_position(
    consumer: AIOKafkaConsumer, partition: TopicPartition, worker: PartitionWorker
) -> int | None:
    """Return the offset fetched next, if everything fetched before is applied."""
    try:
        async with asyncio.timeout(_POSITION_TIMEOUT_S):
            position = int(await consumer.position(partition))
    except TimeoutError:
        return None
    return position if worker.is_idle else None


async def _done(consumer: AIOKafkaConsumer, partition: TopicPartition, worker: PartitionWorker) -> int:
    done = worker.done if worker.done is not None else await consumer.committed(partition)
    if done is None:
        done = (await consumer.beginning_offsets([partition]))[partition]
    return int(done)
