"""Watchdog for partitions without progress: aiokafka is known to hang, and brokers to return nothing."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from domain.processing.halts import STALLED_OPENS
from messaging.consumer.partition_worker import PartitionWorker
from messaging.consumer.position import RESPONSE_TIMEOUT_S, ConsumerPosition
from messaging.consumer.worker_states import State

EVERY_S: Final = 10.0

Workers = Callable[[], Mapping[TopicPartition, PartitionWorker]]


class Watchdog:
    """A watchdog over the current workers of a consumer."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        workers: Workers,
        *,
        stalled_after_s: float,
        give_up: Callable[[str], None],
    ) -> None:
        """Create a watchdog; `run` starts it.

        Args:
            consumer: fetches for the workers.
            workers: returns the current ones.
            stalled_after_s: how long records may wait.
            give_up: ends the process; called with the reason.
        """
        self._consumer = consumer
        self._workers = workers
        self._stalled_after_s = stalled_after_s
        self._give_up = give_up

    async def run(self) -> None:
        """Watch until cancelled."""
        since: dict[TopicPartition, tuple[PartitionWorker, float]] = {}
        while True:
            await asyncio.sleep(EVERY_S)
            # Since when records wait, not since when none came: the first one after a quiet hour is no stall.
            seen_s = time.monotonic()
            since = {
                partition: (worker, since[partition][1] if partition in since else seen_s)
                for partition, worker in await self._waiting()
            }
            for partition, (worker, first_seen_s) in since.items():
                stalled_s = time.monotonic() - max(first_seen_s, worker.last_activity)
                if stalled_s >= self._stalled_after_s:
                    await self._end(partition, worker, stalled_s)

    async def _waiting(self) -> list[tuple[TopicPartition, PartitionWorker]]:
        waiting = [
            (partition, worker)
            for partition, worker in list(self._workers().items())
            if worker.state is State.RUNNING
            and (worker.is_busy or await ConsumerPosition(self._consumer, partition).is_behind())
        ]
        # The assignment may have changed while Kafka was asked.
        return [each for each in waiting if self._workers().get(each[0]) is each[1]]

    async def _end(self, partition: TopicPartition, worker: PartitionWorker, stalled_s: float) -> None:
        """End the process; or halt the partition alone, if ending the process has not helped before."""
        if worker.is_idle and worker.stalled_opens >= STALLED_OPENS:
            try:
                async with asyncio.timeout(RESPONSE_TIMEOUT_S):
                    offset = await ConsumerPosition(self._consumer, partition).next_offset()
            except TimeoutError:  # released, or no response: the stalled record is unknown
                offset = None
            if offset is not None and worker.is_idle:
                problem = (
                    f"offset {offset} cannot be fetched, not for {stalled_s:.0f} s, nor by the owners before"
                )
                worker.halt(problem, skip_to=offset + 1)
            if offset is not None:
                return
        self._give_up(f"{worker.name}: records wait, no progress for {stalled_s:.0f} s")
