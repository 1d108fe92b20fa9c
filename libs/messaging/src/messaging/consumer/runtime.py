"""The consumer loop: one consumer feeds one worker per assigned partition.

What aiokafka does not do by itself (source: its code, 0.14): it never expires a hung commit, it resets to the
log's end where offsets are gone, it drops pauses at a rebalance, and it does not call the listener on stop.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
)

from domain.errors import WaybillError
from messaging.consumer.consumer_settings import RuntimeSettings
from messaging.consumer.handler import PartitionHandler
from messaging.consumer.lifecycle import start, stop
from messaging.consumer.offsets import Lags, is_positioned_at, log_range, restart_offset
from messaging.consumer.partition_worker import PartitionWorker
from messaging.consumer.position import RESPONSE_TIMEOUT_S, ConsumerPosition
from messaging.consumer.slots import Slots
from messaging.consumer.watchdog import Watchdog
from messaging.consumer.worker_states import State, lost_tail, lost_to_retention
from messaging.topic_watch import TopicWatch
from messaging.unpacking import UnreadableBatch, tolerant_consumer

_log = structlog.get_logger(__name__)

_IDLE_POLL_MS: Final = 500
_BUSY_POLL_MS: Final = 10
_LAST_POLL_S: Final = 1.0
_METADATA_MAX_AGE_MS: Final = 10_000
_NEVER_MS: Final = 2**31 - 1

HandlerFactory = Callable[[TopicPartition], PartitionHandler]


class RuntimeStopped(WaybillError):
    """The loop cannot continue; the process should end and be restarted."""


class PartitionRuntime:
    """A consumer of a topic, as a member of a group, until it is stopped."""

    def __init__(self, settings: RuntimeSettings, handlers: HandlerFactory) -> None:
        self._settings = settings
        self._handlers = handlers
        self._slots = Slots(settings.concurrency, large_batch=settings.large_batch)
        self._alone = asyncio.Lock()
        self._workers: dict[TopicPartition, PartitionWorker] = {}
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._paused: set[TopicPartition] = set()
        self._committed: dict[TopicPartition, int] = {}
        self._stopping = asyncio.Event()
        self._assigned = False
        self._releasing = asyncio.Lock()
        self._fault: BaseException | None = None
        self._topic = TopicWatch(settings.kafka, settings.topic, settings.group)
        self._lags = Lags()

    @property
    def is_ready(self) -> bool:
        """True if partitions are assigned and all of them run; or none is, while others own them all."""
        if self._topic.problem is not None or not self._assigned:
            return False
        running = all(worker.state is State.RUNNING for worker in self._workers.values())
        return running and (bool(self._workers) or self._topic.is_whole)

    @property
    def problems(self) -> Mapping[str, str]:
        """Problems that keep partitions from running, by partition, or by topic for all of them."""
        topic = {self._settings.topic: self._topic.problem} if self._topic.problem else {}
        return topic | {
            worker.name: f"{worker.state}: {worker.problem}" if worker.problem else str(worker.state)
            for worker in self._workers.values()
            if worker.state is not State.RUNNING
        }

    @property
    def lags(self) -> Mapping[int, int]:
        """Number of records of each partition that were not applied yet, seconds ago."""
        return self._lags.known

    @property
    def halted(self) -> int:
        """Number of halted partitions."""
        return sum(worker.state is State.HALTED for worker in self._workers.values())

    @property
    def offsets(self) -> Mapping[int, int]:
        """Offsets up to which partitions are applied, where something was since their assignment."""
        workers = self._workers.items()
        return {each.partition: worker.done for each, worker in workers if worker.done is not None}

    def stop(self) -> None:
        """Make `run` drain, commit and return; no batch begins from here on."""
        self._stopping.set()
        for worker in self._workers.values():
            worker.stop()

    async def run(self) -> None:
        """Consume until `stop`.

        Raises:
            RuntimeStopped: the consumer is beyond repair, or the watchdog saw no progress.
        """
        consumer = self._consumer()
        try:
            await self._until_stopped(self._consume(consumer))
        except KafkaError as error:
            raise RuntimeStopped(f"the consumer failed: {type(error).__name__}: {error}") from error
        finally:
            # aiokafka does not call the listener on stop; and leaving comes after the last commit.
            await self.release(consumer)
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

    async def _consume(self, consumer: AIOKafkaConsumer) -> None:
        await start(consumer, self._stopping)
        if (refusal := await self._topic.first_problem()) is not None:
            raise RuntimeStopped(refusal)
        background = [
            asyncio.create_task(self._commit_regularly(consumer), name="committer"),
            asyncio.create_task(self._watchdog(consumer).run(), name="watchdog"),
            asyncio.create_task(self._lags.refresh(consumer, lambda: self._workers), name="lags"),
            asyncio.create_task(
                self._topic.run(
                    holds_any=lambda: bool(self._workers),
                    changed=lambda: self._restart_topic(consumer),
                    rejoin=lambda: self._join(consumer),
                ),
                name="topic",
            ),
        ]
        try:
            self._join(consumer)
            while not self._stopping.is_set() and self._fault is None:
                await self._fetch(consumer)
        finally:
            for task in background:
                task.cancel()

    def _join(self, consumer: AIOKafkaConsumer) -> None:
        """Join the group; done again, its leader reassigns the partitions."""
        consumer.subscribe([self._settings.topic], listener=_Listener(self, consumer))

    def _restart_topic(self, consumer: AIOKafkaConsumer) -> None:
        """Read a re-created topic from its beginning, whatever was read of the one before."""
        for partition, worker in self._workers.items():
            worker.reopen("the topic was re-created")
            with contextlib.suppress(IllegalStateError):
                consumer.seek(partition, 0)

    def take(self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> None:
        """Start a worker for each assigned partition; not while stopping."""
        if self._stopping.is_set():
            return
        for partition in partitions:
            name = f"{partition.topic}/{partition.partition}"
            worker = PartitionWorker(
                name,
                self._handlers(partition),
                max_batch=self._settings.max_batch,
                slots=self._slots,
                alone=self._alone,
            )
            self._workers[partition] = worker
            work = worker.run(ConsumerPosition(consumer, partition))
            task = asyncio.create_task(work, name=f"partition-{name}")
            task.add_done_callback(self._worker_ended)
            self._tasks[partition] = task
        self._assigned = True
        _log.info("partitions_assigned", partitions=sorted(p.partition for p in partitions))

    async def release(self, consumer: AIOKafkaConsumer) -> None:
        """Finish the batches in flight within one deadline, commit what is done, drop the rest.

        Shutdown may coincide with a rebalance: the second call returns when the first is through.
        """
        async with self._releasing:
            await self._release(consumer)

    async def _release(self, consumer: AIOKafkaConsumer) -> None:
        workers, tasks = self._workers, self._tasks
        # New records find no worker from here on: they are dropped, and read again by the next owner.
        self._workers, self._tasks = {}, {}
        self._assigned = False
        try:
            if workers:
                drains = [asyncio.create_task(worker.drain()) for worker in workers.values()]
                await asyncio.wait(drains, timeout=self._settings.drain_s)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            await self._commit(consumer, workers)
            self._paused.clear()
            self._committed.clear()

    def _consumer(self) -> AIOKafkaConsumer:
        settings = self._settings
        return tolerant_consumer(
            **settings.kafka.connection(),
            group_id=settings.group,
            client_id=settings.instance,
            group_instance_id=settings.group_instance,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=256 * 1024,
            session_timeout_ms=int(settings.session_timeout_s * 1000),
            heartbeat_interval_ms=int(settings.session_timeout_s * 1000 / 4),
            rebalance_timeout_ms=int(settings.rebalance_timeout_s * 1000),
            metadata_max_age_ms=_METADATA_MAX_AGE_MS,
            # A member without partitions, or whose partitions are all halted, fetches nothing: aiokafka
            # would take it for hung, leave the group, and not join again.
            max_poll_interval_ms=_NEVER_MS,
        )

    async def _fetch(self, consumer: AIOKafkaConsumer) -> None:
        """Fetch records for the workers that have room.

        While a worker is busy the poll is short: it may have room again, and must not wait for records of
        others. No `wait_for` around `getmany`: a cancelled one breaks the consumer's idle clock.
        """
        await self._restart(consumer)
        self._pause_stuck(consumer)
        busy = any(worker.is_busy for worker in self._workers.values())
        poll_ms = _BUSY_POLL_MS if busy else _IDLE_POLL_MS
        wanted = [partition for partition, worker in self._workers.items() if worker.has_room]
        if not wanted:
            await asyncio.sleep(poll_ms / 1000)
            return
        try:
            arrived = await consumer.getmany(
                *wanted, timeout_ms=poll_ms, max_records=self._settings.max_batch
            )
        except (NoOffsetForPartitionError, OffsetOutOfRangeError, RecordTooLargeError) as error:
            await self._overcome(consumer, error)
        except IllegalStateError:
            # The assignment changed between the look at the workers and the call.
            await asyncio.sleep(poll_ms / 1000)
        else:
            for partition, records in arrived.items():
                if worker := self._workers.get(partition):
                    worker.put(records)

    async def _overcome(self, consumer: AIOKafkaConsumer, error: KafkaError) -> None:
        if isinstance(error, NoOffsetForPartitionError):
            await self._start_at_beginning(consumer)
        elif isinstance(error, RecordTooLargeError):
            # aiokafka has moved past what it could not parse.
            _, (topic, number), offset, *_ = error.args
            if worker := self._workers.get(TopicPartition(topic, number)):
                worker.put([UnreadableBatch(topic, number, offset, offset + 1, "its length is invalid")])
        else:
            for partition, offset in error.args[0].items():
                await self._out_of_range(consumer, partition, offset)

    async def _out_of_range(self, consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> None:
        """Halt where records are gone that were not applied; start over where the topic was re-created."""
        worker = self._workers.get(partition)
        log = await log_range(consumer, partition)
        is_another = log is not None and offset > log.stop and await self._topic.is_another()
        if is_another:
            self._restart_topic(consumer)
            return
        # Much may have changed during the requests; without a response the error comes again.
        known = is_another is not None and await is_positioned_at(consumer, partition, offset)
        if worker is None or log is None or not known or self._workers.get(partition) is not worker:
            return
        if offset < log.start <= worker.applied:
            consumer.seek(partition, log.start)
        elif offset < log.start and worker.state is not State.OPENING:  # which reads the applied offset
            worker.halt(lost_to_retention(offset), is_gap=True)
        elif offset > log.stop:
            worker.halt(lost_tail(log.stop, offset), is_gap=True, skip_to=log.stop)

    async def _restart(self, consumer: AIOKafkaConsumer) -> None:
        """Seek halted partitions to where they resume."""
        for partition, worker in [each for each in self._workers.items() if each[1].restart is not None]:
            try:
                offset = await restart_offset(consumer, partition, worker)
                if self._workers.get(partition) is not worker:
                    continue  # released meanwhile: another one reads here now
                consumer.seek(partition, offset)
            except (KafkaError, IllegalStateError) as error:
                _log.warning("restart_failed", partition=worker.name, error=str(error))
            else:
                worker.restarted(offset)

    async def _start_at_beginning(self, consumer: AIOKafkaConsumer) -> None:
        """The group has never committed here: read everything. What was applied before is recognised."""
        unread = [each for each in list(self._workers.items()) if await consumer.committed(each[0]) is None]
        # Those that were released during the requests belong to other members by now.
        new = {partition: worker for partition, worker in unread if self._workers.get(partition) is worker}
        _log.info("partitions_start_at_beginning", partitions=sorted(p.partition for p in new))
        for worker in new.values():
            worker.is_unread = True
        if new:
            with contextlib.suppress(IllegalStateError):  # released during the request
                await consumer.seek_to_beginning(*new)

    def _pause_stuck(self, consumer: AIOKafkaConsumer) -> None:
        """Pause partitions that retry: aiokafka fetches nothing for the others while their records wait."""
        for partition, worker in self._workers.items():
            stuck = worker.state in (State.RETRYING, State.HALTED, State.LOST)
            with contextlib.suppress(IllegalStateError):
                if stuck and partition not in self._paused:
                    consumer.pause(partition)
                    self._paused.add(partition)
                elif not stuck and partition in self._paused:
                    consumer.resume(partition)
                    self._paused.discard(partition)

    async def _commit_regularly(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            await asyncio.sleep(self._settings.commit_every_s)
            await self._commit(consumer, self._workers)

    async def _commit(
        self, consumer: AIOKafkaConsumer, workers: Mapping[TopicPartition, PartitionWorker]
    ) -> None:
        """Commit what is done. Losing a commit costs only a redelivery, which is recognised."""
        offsets = {
            partition: worker.done
            for partition, worker in workers.items()
            if worker.done is not None and self._committed.get(partition) != worker.done
        }
        if not offsets:
            return
        try:
            await asyncio.wait_for(consumer.commit(offsets), RESPONSE_TIMEOUT_S)
        except (CommitFailedError, IllegalStateError, KafkaError, TimeoutError) as error:
            _log.warning("commit_failed", error=f"{type(error).__name__}: {error}")
        else:
            self._committed.update(offsets)

    def _watchdog(self, consumer: AIOKafkaConsumer) -> Watchdog:
        after_s = self._settings.stalled_after_s
        return Watchdog(consumer, lambda: self._workers, stalled_after_s=after_s, give_up=self._give_up)

    def _worker_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    def _give_up(self, why: str) -> None:
        self.fail(RuntimeStopped(why))

    def fail(self, error: BaseException) -> None:
        """End `run` with an error."""
        _log.critical("runtime_failed", error=f"{type(error).__name__}: {error}")
        self._fault = error


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Passes assignments on. aiokafka only logs what a listener raises, so the runtime is failed here."""

    def __init__(self, runtime: PartitionRuntime, consumer: AIOKafkaConsumer) -> None:
        self._runtime = runtime
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        try:
            await self._runtime.release(self._consumer)
        except Exception as error:  # noqa: BLE001  # see the class
            self._runtime.fail(error)
        _log.info("partitions_revoked", partitions=sorted(p.partition for p in revoked))

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        try:
            self._runtime.take(self._consumer, assigned)
        except Exception as error:  # noqa: BLE001  # see the class
            self._runtime.fail(error)
