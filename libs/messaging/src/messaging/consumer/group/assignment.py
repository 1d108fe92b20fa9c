"""The partitions that are assigned to a member, with a running worker each."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from messaging.consumer.position import ConsumerPosition
from messaging.consumer.worker.worker import Worker

_log = structlog.get_logger(__name__)

W = TypeVar("W", bound=Worker)


@dataclass(frozen=True, slots=True)
class ReleasedWorkers(Generic[W]):
    """Workers that get no more records."""

    workers: Mapping[TopicPartition, W]
    tasks: Sequence[asyncio.Task[None]]

    async def finish(self, within_s: float) -> None:
        """Finish the batches in flight within one deadline, then end the workers."""
        try:
            if self.workers:
                drains = [asyncio.create_task(worker.drain()) for worker in self.workers.values()]
                await asyncio.wait(drains, timeout=within_s)
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)


class Assignment(Generic[W]):
    """The workers of the assigned partitions.

    Attributes:
        workers: by partition.
        is_known: the group has assigned some, or none, to this member; False during a rebalance.
        is_stopping: no worker is started any more.
    """

    def __init__(
        self, new_worker: Callable[[TopicPartition], W], failed: Callable[[BaseException], None]
    ) -> None:
        """Create an empty assignment.

        Args:
            new_worker: makes the worker of a partition.
            failed: called with the error of a worker that has ended with one.
        """
        self.workers: dict[TopicPartition, W] = {}
        self.is_known = False
        self.is_stopping = False
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._new_worker = new_worker
        self._failed = failed

    def __iter__(self) -> Iterator[tuple[TopicPartition, W]]:
        """Yield the partitions that are assigned now, whatever happens meanwhile."""
        return iter(list(self.workers.items()))

    def has(self, partition: TopicPartition, worker: W) -> bool:
        """Say whether a worker still has its partition: much may have changed during a request."""
        return self.workers.get(partition) is worker

    def take(self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> None:
        """Start a worker for each assigned partition; not while stopping."""
        if self.is_stopping:
            return
        for partition in partitions:
            worker = self._new_worker(partition)
            self.workers[partition] = worker
            work = worker.run(ConsumerPosition(consumer, partition))
            task = asyncio.create_task(work, name=f"partition-{worker.name}")
            task.add_done_callback(self._worker_ended)
            self._tasks[partition] = task
        self.is_known = True
        _log.info("partitions_assigned", partitions=sorted(p.partition for p in partitions))

    def release(self) -> ReleasedWorkers[W]:
        """Let go of all workers: records that arrive now find none, and are read again by the next owner."""
        released = ReleasedWorkers(self.workers, list(self._tasks.values()))
        self.workers, self._tasks = {}, {}
        self.is_known = False
        return released

    def stop(self) -> None:
        """Start no worker and no batch from here on."""
        self.is_stopping = True
        for worker in self.workers.values():
            worker.stop()

    def _worker_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)
