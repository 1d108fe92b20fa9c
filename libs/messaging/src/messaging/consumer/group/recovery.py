"""Recovery: where reading continues when it cannot simply go on, or is to go on elsewhere."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import Generic

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from messaging.consumer.group.assignment import Assignment, W
from messaging.consumer.position import RESPONSE_TIMEOUT_S
from messaging.topic_watch import TopicWatch


class Recovery(ABC, Generic[W]):
    """Decides where a partition is read from after a fault; a kind of consumer each has its own."""

    def __init__(self, consumer: AIOKafkaConsumer, assignment: Assignment[W], topic: TopicWatch) -> None:
        """Create it for a consumer.

        Args:
            consumer: reads the partitions.
            assignment: of the consumer.
            topic: knows whether the topic was re-created.
        """
        self._consumer = consumer
        self._assignment = assignment
        self._topic = topic

    async def seek_pending(self) -> None:
        """Seek the partitions whose workers have asked for it; called before each fetch."""
        return

    async def out_of_range(self, partition: TopicPartition, offset: int) -> None:
        """Recover a partition that has no record at the offset to fetch next."""
        worker = self._assignment.workers.get(partition)
        log = await log_range(self._consumer, partition)
        is_another = log is not None and offset > log.stop and await self._topic.is_another()
        if is_another:
            self.topic_recreated()
            return
        # Much may have changed during the requests; without a response the error comes again.
        known = is_another is not None and await is_positioned_at(self._consumer, partition, offset)
        if worker is None or log is None or not known or not self._assignment.has(partition, worker):
            return
        if offset < log.start:
            self._begins_later(partition, worker, offset, log)
        elif offset > log.stop:
            self._ends_earlier(partition, worker, offset, log)

    def topic_recreated(self) -> None:
        """Read a re-created topic from its beginning, whatever was read of the one before."""
        for partition, worker in self._assignment:
            worker.reopen("the topic was re-created")
            with contextlib.suppress(IllegalStateError):
                self._consumer.seek(partition, 0)

    async def stalled(self, partition: TopicPartition, worker: W, stalled_s: float) -> bool:  # noqa: ARG002  # for those that can
        """Recover a partition whose records wait without progress; return whether that was possible."""
        return False

    @abstractmethod
    def _begins_later(self, partition: TopicPartition, worker: W, offset: int, log: range) -> None:
        """Recover a partition whose log begins after `offset`, the one to fetch next."""

    @abstractmethod
    def _ends_earlier(self, partition: TopicPartition, worker: W, offset: int, log: range) -> None:
        """Recover a partition whose log ends before `offset`, the one to fetch next."""


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
