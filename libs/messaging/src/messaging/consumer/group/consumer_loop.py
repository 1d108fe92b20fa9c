"""The consumer loop: one consumer feeds one worker per assigned partition.

What aiokafka does not do by itself (source: its code, 0.14): it never expires a hung commit, it resets to the
log's end where offsets are gone, it drops pauses at a rebalance, and it does not call the listener on stop.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from typing import Any, Final, Generic

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from domain.errors import WaybillError
from messaging.consumer.consumer_settings import ConsumerSettings
from messaging.consumer.group.assignment import Assignment, W
from messaging.consumer.group.committing import OffsetCommitter
from messaging.consumer.group.fetching import RecordFetcher
from messaging.consumer.group.group_consumer import group_consumer, start, stop
from messaging.consumer.group.lag import Lags
from messaging.consumer.group.membership import GroupMember
from messaging.consumer.group.recovery import Recovery
from messaging.consumer.group.watchdog import Watchdog
from messaging.consumer.worker.worker_states import State
from messaging.topic_watch import TopicWatch

_log = structlog.get_logger(__name__)

_LAST_POLL_S: Final = 1.0


class RuntimeStopped(WaybillError):
    """The loop cannot continue; the process should end and be restarted."""


class ConsumerLoop(ABC, Generic[W]):
    """A consumer of a topic, as a member of a group, until it is stopped.

    A subclass says how the records of a partition are handled, and what happens where some are missing.
    """

    def __init__(self, settings: ConsumerSettings, topic: TopicWatch) -> None:
        self._settings = settings
        self._topic = topic
        self._assignment = Assignment(self._new_worker, self._fail)
        self._lags = Lags()
        self._stopping = asyncio.Event()
        self._fault: BaseException | None = None

    @abstractmethod
    def _new_worker(self, partition: TopicPartition) -> W:
        """Return a worker for a partition that has been assigned."""

    @abstractmethod
    def _recovery(self, consumer: AIOKafkaConsumer) -> Recovery[W]:
        """Return the recovery of partitions that `consumer` reads."""

    @property
    def is_ready(self) -> bool:
        """True if partitions are assigned and all of them run; or none is, while others own them all."""
        if self._topic.problem is not None or not self._assignment.is_known:
            return False
        workers = self._assignment.workers.values()
        return all(worker.state is State.RUNNING for worker in workers) and (
            bool(workers) or self._topic.is_whole
        )

    @property
    def problems(self) -> Mapping[str, str]:
        """Problems that keep partitions from running, by partition, or by topic for all of them."""
        topic = {self._settings.topic: self._topic.problem} if self._topic.problem else {}
        return topic | {
            worker.name: f"{worker.state}: {worker.problem}" if worker.problem else str(worker.state)
            for worker in self._assignment.workers.values()
            if worker.state is not State.RUNNING
        }

    @property
    def lags(self) -> Mapping[int, int]:
        """Number of records of each partition that were not done yet, seconds ago."""
        return self._lags.known

    @property
    def offsets(self) -> Mapping[int, int]:
        """Offsets up to which partitions are done, where something was since their assignment."""
        workers = self._assignment.workers.items()
        return {each.partition: worker.done for each, worker in workers if worker.done is not None}

    def stop(self) -> None:
        """Make `run` drain, commit and return; no batch begins from here on."""
        self._stopping.set()
        self._assignment.stop()

    async def run(self) -> None:
        """Consume until `stop`.

        Raises:
            RuntimeStopped: the consumer or a worker has failed, or the watchdog saw no progress.
        """
        settings = self._settings
        consumer = group_consumer(settings)
        committer = OffsetCommitter(consumer)
        member = GroupMember(
            consumer, self._assignment, committer, drain_s=settings.drain_s, failed=self._fail
        )
        try:
            await self._until_stopped(self._consume(consumer, member, committer))
        except KafkaError as error:
            raise RuntimeStopped(f"the consumer failed: {type(error).__name__}: {error}") from error
        finally:
            # aiokafka does not call the listener on stop; and leaving comes after the last commit.
            await member.release()
            await stop(consumer)
        if self._fault is not None:
            raise RuntimeStopped(str(self._fault)) from self._fault

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` to its end; after `stop` it is cancelled soon: without Kafka some of its calls hang."""
        task = asyncio.create_task(work, name="consumer-loop")
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((task,), timeout=_LAST_POLL_S)
        finally:
            stopping.cancel()
            task.cancel()
            await asyncio.gather(task, stopping, return_exceptions=True)
        if not task.cancelled():
            task.result()

    async def _consume(
        self, consumer: AIOKafkaConsumer, member: GroupMember[W], committer: OffsetCommitter
    ) -> None:
        await start(consumer, self._stopping)
        if (refusal := await self._topic.first_problem()) is not None:
            raise RuntimeStopped(refusal)
        settings, assignment = self._settings, self._assignment
        recovery = self._recovery(consumer)
        fetcher = RecordFetcher(consumer, assignment, recovery, max_records=settings.max_batch)
        watchdog = Watchdog(
            consumer, assignment, recovery, stalled_after_s=settings.stalled_after_s, give_up=self._give_up
        )
        background = {
            "committer": committer.run(lambda: assignment.workers, every_s=settings.commit_every_s),
            "watchdog": watchdog.run(),
            "lags": self._lags.refresh(consumer, lambda: assignment.workers),
            "topic": self._topic.run(
                holds_any=lambda: bool(assignment.workers),
                changed=recovery.topic_recreated,
                rejoin=lambda: member.join(settings.topic),
            ),
        }
        tasks = [asyncio.create_task(work, name=name) for name, work in background.items()]
        try:
            member.join(settings.topic)
            while not self._stopping.is_set() and self._fault is None:
                await fetcher.fetch()
        finally:
            for task in tasks:
                task.cancel()

    def _give_up(self, why: str) -> None:
        self._fail(RuntimeStopped(why))

    def _fail(self, error: BaseException) -> None:
        """End `run` with an error."""
        _log.critical("runtime_failed", error=f"{type(error).__name__}: {error}")
        self._fault = error
