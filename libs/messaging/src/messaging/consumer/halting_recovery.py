"""Recovery of partitions that have an owner: where records are lost, the partition halts."""

import asyncio

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from domain.processing.halts import STALLED_OPENS, Start
from messaging.consumer.group.recovery import Recovery
from messaging.consumer.partition.halting import lost_tail, lost_to_retention
from messaging.consumer.partition.partition_worker import PartitionWorker
from messaging.consumer.position import RESPONSE_TIMEOUT_S, ConsumerPosition
from messaging.consumer.worker.worker_states import State

_log = structlog.get_logger(__name__)


class HaltingRecovery(Recovery[PartitionWorker]):
    """Halts a partition until an operator resumes it, and reads it from there then."""

    async def seek_pending(self) -> None:
        """Seek halted partitions to where they resume."""
        for partition, worker in self._assignment:
            if worker.halting.restart is None:
                continue
            try:
                offset = await restart_offset(self._consumer, partition, worker)
                if not self._assignment.has(partition, worker):
                    continue  # released meanwhile: another one reads here now
                self._consumer.seek(partition, offset)
            except (KafkaError, IllegalStateError) as error:
                _log.warning("restart_failed", partition=worker.name, error=str(error))
            else:
                worker.halting.restarted(offset)

    async def stalled(self, partition: TopicPartition, worker: PartitionWorker, stalled_s: float) -> bool:
        """Halt the partition alone, if ending the process has not helped before."""
        if not worker.is_idle or worker.ownership.stalled_opens < STALLED_OPENS:
            return False
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_S):
                offset = await ConsumerPosition(self._consumer, partition).next_offset()
        except TimeoutError:  # released, or no response: the stalled record is unknown
            return False
        if worker.is_idle:
            problem = (
                f"offset {offset} cannot be fetched, not for {stalled_s:.0f} s, nor by the owners before"
            )
            worker.halt(problem, skip_to=offset + 1)
        return True

    def _begins_later(
        self, partition: TopicPartition, worker: PartitionWorker, offset: int, log: range
    ) -> None:
        if log.start <= worker.ownership.applied:
            self._consumer.seek(partition, log.start)
        elif worker.state is not State.OPENING:  # which reads the applied offset
            worker.halt(lost_to_retention(offset), is_gap=True)

    def _ends_earlier(
        self,
        partition: TopicPartition,  # noqa: ARG002  # as the base has it
        worker: PartitionWorker,
        offset: int,
        log: range,
    ) -> None:
        worker.halt(lost_tail(log.stop, offset), is_gap=True, skip_to=log.stop)


async def restart_offset(
    consumer: AIOKafkaConsumer, partition: TopicPartition, worker: PartitionWorker
) -> int:
    """Return the offset from which a halted partition resumes."""
    start, skip_to = worker.halting.restart, worker.halting.skip_to
    if start is Start.NEXT and skip_to is not None:
        end = (await consumer.end_offsets([partition]))[partition]
        return min(skip_to, int(end))
    if start is Start.COMMITTED:
        committed = worker.done if worker.done is not None else await consumer.committed(partition)
        if committed is not None:
            return int(committed)
    return int((await consumer.beginning_offsets([partition]))[partition])
