"""Watchdog for partitions without progress: aiokafka is known to hang, and brokers to return nothing."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Generic

from aiokafka import AIOKafkaConsumer, TopicPartition

from messaging.consumer.group.assignment import Assignment, W
from messaging.consumer.group.recovery import Recovery
from messaging.consumer.position import ConsumerPosition

EVERY_S: Final = 10.0


class Watchdog(Generic[W]):
    """A watchdog over the assigned partitions of a consumer."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        assignment: Assignment[W],
        recovery: Recovery[W],
        *,
        stalled_after_s: float,
        give_up: Callable[[str], None],
    ) -> None:
        """Create a watchdog; `run` starts it.

        Args:
            consumer: fetches for the workers.
            assignment: of the consumer.
            recovery: is tried before the process is ended.
            stalled_after_s: how long records may wait.
            give_up: ends the process; called with the reason.
        """
        self._consumer = consumer
        self._assignment = assignment
        self._recovery = recovery
        self._stalled_after_s = stalled_after_s
        self._give_up = give_up

    async def run(self) -> None:
        """Watch until cancelled."""
        since: dict[TopicPartition, tuple[W, float]] = {}
        while True:
            await asyncio.sleep(EVERY_S)
            # Since when records wait, not since when none came: the first one after a quiet hour is no stall.
            seen_s = time.monotonic()
            since = {
                partition: (worker, since[partition][1] if partition in since else seen_s)
                for partition, worker in await self._waiting()
            }
            for partition, (worker, first_seen_s) in since.items():
                stalled_s = time.monotonic() - max(first_seen_s, worker.status.last_activity)
                if stalled_s >= self._stalled_after_s:
                    await self._end(partition, worker, stalled_s)

    async def _waiting(self) -> list[tuple[TopicPartition, W]]:
        waiting = [
            (partition, worker)
            for partition, worker in self._assignment
            if worker.state in worker.watched
            and (worker.is_busy or await ConsumerPosition(self._consumer, partition).is_behind())
        ]
        # The assignment may have changed while Kafka was asked.
        return [each for each in waiting if self._assignment.has(*each)]

    async def _end(self, partition: TopicPartition, worker: W, stalled_s: float) -> None:
        if not await self._recovery.stalled(partition, worker, stalled_s):
            self._give_up(f"{worker.name}: records wait, no progress for {stalled_s:.0f} s")
