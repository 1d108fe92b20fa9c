"""The processor's consumer: partitions with an owner, which halt rather than skip a record."""

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition

from messaging.consumer.consumer_settings import RuntimeSettings
from messaging.consumer.group.consumer_loop import ConsumerLoop
from messaging.consumer.halting_recovery import HaltingRecovery
from messaging.consumer.handler import PartitionHandler
from messaging.consumer.partition.partition_worker import PartitionWorker
from messaging.consumer.partition.slots import Slots, Turn, at_once
from messaging.consumer.worker.worker_states import State
from messaging.topic_watch import TopicWatch

HandlerFactory = Callable[[TopicPartition], PartitionHandler]


class PartitionRuntime(ConsumerLoop[PartitionWorker]):
    """A consumer whose partitions are taken over, halted and resumed."""

    def __init__(self, settings: RuntimeSettings, handlers: HandlerFactory, turn: Turn = at_once) -> None:
        """Create a consumer.

        Args:
            settings: of the consumer.
            handlers: makes the handler of a partition.
            turn: returns when a small batch should begin.
        """
        super().__init__(settings, TopicWatch(settings.kafka, settings.topic, settings.group))
        self._handlers = handlers
        self._slots = Slots(settings.concurrency, large_batch=settings.large_batch, turn=turn)
        self._alone = asyncio.Lock()

    @property
    def halted(self) -> int:
        """Number of halted partitions."""
        return sum(worker.state is State.HALTED for worker in self._assignment.workers.values())

    def _new_worker(self, partition: TopicPartition) -> PartitionWorker:
        return PartitionWorker(
            f"{partition.topic}/{partition.partition}",
            self._handlers(partition),
            max_batch=self._settings.max_batch,
            slots=self._slots,
            alone=self._alone,
        )

    def _recovery(self, consumer: AIOKafkaConsumer) -> HaltingRecovery:
        return HaltingRecovery(consumer, self._assignment, self._topic)
