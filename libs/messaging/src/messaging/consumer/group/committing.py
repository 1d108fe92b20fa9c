"""Committing offsets: regularly, and once more when partitions are released."""

import asyncio
from collections.abc import Callable, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from messaging.consumer.position import RESPONSE_TIMEOUT_S
from messaging.consumer.worker.worker import Worker

_log = structlog.get_logger(__name__)

Workers = Mapping[TopicPartition, Worker]


class OffsetCommitter:
    """Commits what workers have done. aiokafka never expires a hung commit by itself."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._committed: dict[TopicPartition, int] = {}

    async def run(self, workers: Callable[[], Workers], *, every_s: float) -> None:
        """Commit until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            await self.commit(workers())

    async def commit(self, workers: Workers) -> None:
        """Commit what is done. Losing a commit costs only a redelivery."""
        offsets = {
            partition: worker.done
            for partition, worker in workers.items()
            if worker.done is not None and self._committed.get(partition) != worker.done
        }
        if not offsets:
            return
        try:
            await asyncio.wait_for(self._consumer.commit(offsets), RESPONSE_TIMEOUT_S)
        except (CommitFailedError, IllegalStateError, KafkaError, TimeoutError) as error:
            _log.warning("commit_failed", error=f"{type(error).__name__}: {error}")
        else:
            self._committed.update(offsets)

    def forget(self) -> None:
        """Forget what was committed: the next owner of a partition may commit less."""
        self._committed.clear()
