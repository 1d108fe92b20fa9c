"""From where a partition is read anew, and how far the group is behind."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from domain.processing.halts import Start
from messaging.consumer.partition_worker import PartitionWorker
from messaging.consumer.position import ANSWER_TIMEOUT_S

LOOK_EVERY_S: Final = 2.0
_KEPT: Final = 5
_POSITION_TIMEOUT_S: Final = 0.5

Workers = Callable[[], Mapping[TopicPartition, PartitionWorker]]


async def restart_offset(
    consumer: AIOKafkaConsumer, partition: TopicPartition, worker: PartitionWorker
) -> int:
    """Return from where a partition that stood still is to be read."""
    if worker.restart is Start.NEXT and worker.skip_to is not None:
        end = (await consumer.end_offsets([partition]))[partition]
        return min(worker.skip_to, int(end))
    if worker.restart is Start.COMMITTED:
        committed = worker.done if worker.done is not None else await consumer.committed(partition)
        if committed is not None:
            return int(committed)
    return int((await consumer.beginning_offsets([partition]))[partition])


async def log_range(consumer: AIOKafkaConsumer, partition: TopicPartition) -> range | None:
    """Return the offsets that the log of a partition has now; None where Kafka does not answer."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            begins = await consumer.beginning_offsets([partition])
            ends = await consumer.end_offsets([partition])
    except (KafkaError, TimeoutError):
        return None
    return range(begins[partition], ends[partition])


async def stands_at(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> bool:
    """Say whether a partition would be fetched from there next; False where that is not known."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return bool(await consumer.position(partition) == offset)
    except (KafkaError, IllegalStateError, TimeoutError):
        return False


class Lags:
    """How far a group is behind, looked up again and again.

    Attributes:
        known: records of each partition that were not applied yet, seconds ago; none where that is not known.
    """

    def __init__(self) -> None:
        self.known: Mapping[int, int] = {}

    async def keep(self, consumer: AIOKafkaConsumer, workers: Workers) -> None:
        """Look until cancelled; what Kafka has not told for a while is not known any more."""
        misses = 0
        while True:
            found = await lags(consumer, dict(workers()))
            misses = 0 if found is not None else misses + 1
            if found is not None or misses > _KEPT:
                self.known = found or {}
            await asyncio.sleep(LOOK_EVERY_S)


async def lags(
    consumer: AIOKafkaConsumer, workers: Mapping[TopicPartition, PartitionWorker]
) -> dict[int, int] | None:
    """Return how many records of each partition are not applied yet; None where Kafka does not answer.

    Counted from what is done, or else committed: what is fetched and waits in memory is behind, too. Where
    nothing waits, counted from the position: between what is done and there stands nothing that can be
    applied, only markers of transactions, aborted records and what compaction has left out.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
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
    # A transaction that is open hides what follows it. It waits to be read, so it is behind.
    end = max(end, consumer.highwater(partition) or 0)
    position = await _idle_position(consumer, partition, worker)
    if position is not None and position >= end:
        return 0
    done = await _done(consumer, partition, worker)
    return max(0, end - max(done, position or 0))


async def _idle_position(
    consumer: AIOKafkaConsumer, partition: TopicPartition, worker: PartitionWorker
) -> int | None:
    """Return what is fetched next, if all that was fetched before is applied."""
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
