"""Lag: how many records of each partition are not done yet."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from messaging.consumer.position import RESPONSE_TIMEOUT_S
from messaging.consumer.worker.worker import Worker

REFRESH_EVERY_S: Final = 2.0
_MAX_MISSES: Final = 5
_POSITION_TIMEOUT_S: Final = 0.5

Workers = Mapping[TopicPartition, Worker]


class Lags:
    """The lag of a group, refreshed regularly.

    Attributes:
        known: records of each partition that were not applied yet, seconds ago; empty where not known.
    """

    def __init__(self) -> None:
        self.known: Mapping[int, int] = {}

    async def refresh(self, consumer: AIOKafkaConsumer, workers: Callable[[], Workers]) -> None:
        """Refresh until cancelled; a lag that Kafka has not returned for a while is dropped."""
        misses = 0
        while True:
            found = await lags(consumer, dict(workers()))
            misses = 0 if found is not None else misses + 1
            if found is not None or misses > _MAX_MISSES:
                self.known = found or {}
            await asyncio.sleep(REFRESH_EVERY_S)


async def lags(consumer: AIOKafkaConsumer, workers: Workers) -> dict[int, int] | None:
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


async def _behind(consumer: AIOKafkaConsumer, partition: TopicPartition, worker: Worker, end: int) -> int:
    # An open transaction hides what follows it. That waits to be read, so it counts.
    end = max(end, consumer.highwater(partition) or 0)
    position = await _idle_position(consumer, partition, worker)
    if position is not None and position >= end:
        return 0
    done = await _done(consumer, partition, worker)
    return max(0, end - max(done, position or 0))


async def _idle_position(consumer: AIOKafkaConsumer, partition: TopicPartition, worker: Worker) -> int | None:
    """Return the offset fetched next, if everything fetched before is applied."""
    try:
        async with asyncio.timeout(_POSITION_TIMEOUT_S):
            position = int(await consumer.position(partition))
    except TimeoutError:
        return None
    return position if worker.is_idle else None


async def _done(consumer: AIOKafkaConsumer, partition: TopicPartition, worker: Worker) -> int:
    done = worker.done if worker.done is not None else await consumer.committed(partition)
    if done is None:
        done = (await consumer.beginning_offsets([partition]))[partition]
    return int(done)
