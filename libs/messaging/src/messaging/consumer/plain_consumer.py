"""A plain consumer, for a service that only reads a topic: group, handler, commit after the handler.

    settings = ConsumerSettings(kafka=kafka, topic=topics.changes, group="webhooks", instance=instance_id)
    consumer = PlainConsumer(settings, handle)  # async def handle(records: Sequence[Record]) -> None
    registry.register(ConsumerMetrics(consumer, settings.group))
    await consumer.run()  # until consumer.stop(), which drains and commits

- **At least once.** An offset is committed when the handler has returned for everything below it. Records are
  handled again after a crash, and where a batch takes longer than `drain_s` at a rebalance: the handler must
  not mind. There is no fence: an owner that was frozen may still be handling what the next one handles again.
- **Order.** The records of a partition, and so those of a key, are handled in the order of their offsets, one
  batch at a time. Partitions are handled concurrently, and do not wait for each other.
- **Retry in place.** While the handler raises `TransientError`, the same batch is handled again, after a
  growing pause. Any other exception ends `run`: it is a bug, and the next process meets it again. A handler
  that wants to give a record up catches what it raises.
- **Nothing blocks for ever unseen.** What nobody can read is logged as an error, counted (`skipped`), and
  skipped: damaged records and batches (`record_unreadable`), and records that the log has lost before they
  were read, to retention or with its tail (`records_lost`). An attempt at a batch that takes longer than
  `stalled_after_s` ends `run`, too: a handler limits its waits, and `max_batch`.

A group without a committed offset begins at the log's beginning, and so does a topic that was re-created.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import ClassVar

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from messaging.consumer.consumer_settings import ConsumerSettings
from messaging.consumer.group.assignment import Assignment
from messaging.consumer.group.consumer_loop import ConsumerLoop
from messaging.consumer.group.recovery import Recovery
from messaging.consumer.handler import LogPosition
from messaging.consumer.worker.retrier import Retrier
from messaging.consumer.worker.worker import Worker
from messaging.consumer.worker.worker_states import Abandoned, State
from messaging.dead_letters.records import Record
from messaging.topic_watch import TopicWatch
from messaging.unpacking import UnreadableBatch, UnreadableRecord

_log = structlog.get_logger(__name__)

RecordHandler = Callable[[Sequence[Record]], Awaitable[None]]
"""Handles records of one partition, in the order of their offsets; what has returned is committed."""

CountSkipped = Callable[[int], None]


class PlainConsumer(ConsumerLoop["PlainWorker"]):
    """A consumer that passes the records of a topic to a handler; see the module for what it promises.

    Attributes:
        skipped: number of records that were not handled, since nobody can read them.
    """

    def __init__(self, settings: ConsumerSettings, handle: RecordHandler) -> None:
        watch = TopicWatch(settings.kafka, settings.topic, settings.group, any_partitions=True)
        super().__init__(settings, watch)
        self.skipped = 0
        self._handle = handle

    def _new_worker(self, partition: TopicPartition) -> "PlainWorker":
        name = f"{partition.topic}/{partition.partition}"
        return PlainWorker(
            name, self._handle, max_batch=self._settings.max_batch, skipped=self._count_skipped
        )

    def _recovery(self, consumer: AIOKafkaConsumer) -> "SkippingRecovery":
        return SkippingRecovery(consumer, self._assignment, self._topic, self._count_skipped)

    def _count_skipped(self, records: int) -> None:
        self.skipped += records


class PlainWorker(Worker):
    """Handles one partition of a plain consumer."""

    # An attempt of somebody else's handler may hang, the first one or a later one.
    watched: ClassVar[Collection[State]] = (State.RUNNING, State.RETRYING)

    def __init__(self, name: str, handle: RecordHandler, *, max_batch: int, skipped: CountSkipped) -> None:
        """Create a worker; `run` starts it.

        Args:
            name: `topic/number`.
            handle: handles records.
            max_batch: records passed to it at once.
            skipped: counts records that nobody can read.
        """
        super().__init__(name, max_batch=max_batch)
        self._handle, self._skipped = handle, skipped
        self._retrier = Retrier(self.status)
        self._is_reopened = False

    def reopen(self, why: str) -> None:
        """See `Worker.reopen`."""
        _log.warning("partition_reopened", partition=self.name, why=why)
        self.queue.inbox.drop()
        self.queue.done = 0
        self._is_reopened = True

    async def _serve(self, log: LogPosition) -> None:
        inbox = self.queue.inbox
        self.status.enter(State.RUNNING)
        try:
            while await self.status.until(lambda: inbox.has_any):
                if inbox:
                    await self._handle_next()
                elif inbox.unreadable is not None:
                    await self._skip(inbox.unreadable, log)
        except Abandoned:
            _log.info("batch_abandoned", partition=self.name)

    async def _handle_next(self) -> None:
        queue = self.queue
        self._is_reopened = False
        queue.begin(min(len(queue.inbox), queue.max_batch))
        records = [record for record in queue.batch if self._is_readable(record)]
        if records:
            await self._retrier.until_done(lambda: self._handle(records))
        if self._is_reopened:  # what was handled is of the log before
            queue.drop_batch()
        else:
            queue.passed(queue.batch)
            queue.settle()

    def _is_readable(self, record: Record) -> bool:
        if not isinstance(record, UnreadableRecord):
            return True
        _log.error("record_unreadable", partition=self.name, offset=record.offset, fault=record.fault)
        self._skipped(1)
        return False

    async def _skip(self, batch: UnreadableBatch, log: LogPosition) -> None:
        end = batch.end_in(await self._retrier.until_done(log.end_offset))
        if self.queue.inbox.unreadable is not batch:
            return  # the topic was re-created meanwhile
        _log.error(
            "record_unreadable", partition=self.name, offset=batch.offset, below=end, fault=batch.fault
        )
        self._skipped(end - batch.offset)
        self.queue.inbox.drop()
        self.queue.done = end
        log.seek(end)  # what followed it was dropped


class SkippingRecovery(Recovery[PlainWorker]):
    """Continues where the log does; what is lost is logged, and counted."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        assignment: Assignment[PlainWorker],
        topic: TopicWatch,
        skipped: CountSkipped,
    ) -> None:
        super().__init__(consumer, assignment, topic)
        self._skipped = skipped

    def _begins_later(self, partition: TopicPartition, worker: PlainWorker, offset: int, log: range) -> None:
        _log.error("records_lost", partition=worker.name, offset=offset, below=log.start)
        self._continue(partition, worker, log.start, skipped=log.start - offset)

    def _ends_earlier(self, partition: TopicPartition, worker: PlainWorker, offset: int, log: range) -> None:
        """Continue at the end: which of the records before it are other ones than were read is unknown."""
        _log.error("records_lost", partition=worker.name, offset=log.stop, below=offset)
        self._continue(partition, worker, log.stop, skipped=offset - log.stop)

    def _continue(self, partition: TopicPartition, worker: PlainWorker, offset: int, *, skipped: int) -> None:
        self._skipped(skipped)
        self._consumer.seek(partition, offset)
        if not worker.is_busy:
            worker.queue.done = offset  # committed, so that a restart does not meet the same loss
