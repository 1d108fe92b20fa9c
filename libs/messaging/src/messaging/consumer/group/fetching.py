"""Fetching: records for the workers that have room, and the errors that a fetch can meet."""

import asyncio
import contextlib
from typing import Final, Generic

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
)

from messaging.consumer.group.assignment import Assignment, W
from messaging.consumer.group.recovery import Recovery
from messaging.unpacking import UnreadableBatch

_log = structlog.get_logger(__name__)

_IDLE_POLL_MS: Final = 500
_BUSY_POLL_MS: Final = 10


class RecordFetcher(Generic[W]):
    """Fetches records for the workers of an assignment."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        assignment: Assignment[W],
        recovery: Recovery[W],
        *,
        max_records: int,
    ) -> None:
        """Create a fetcher.

        Args:
            consumer: fetches.
            assignment: of the consumer.
            recovery: decides where a partition is read from if the next offset has no record.
            max_records: of one fetch.
        """
        self._consumer = consumer
        self._assignment = assignment
        self._recovery = recovery
        self._max_records = max_records

    async def fetch(self) -> None:
        """Fetch records for the workers that have room.

        While a worker is busy the poll is short: it may have room again, and must not wait for records of
        others. No `wait_for` around `getmany`: a cancelled one breaks the consumer's idle clock.
        """
        await self._recovery.seek_pending()
        self._pause_stuck()
        workers = self._assignment.workers
        busy = any(worker.is_busy for worker in workers.values())
        poll_ms = _BUSY_POLL_MS if busy else _IDLE_POLL_MS
        wanted = [partition for partition, worker in workers.items() if worker.has_room]
        if not wanted:
            await asyncio.sleep(poll_ms / 1000)
            return
        try:
            arrived = await self._consumer.getmany(*wanted, timeout_ms=poll_ms, max_records=self._max_records)
        except (NoOffsetForPartitionError, OffsetOutOfRangeError, RecordTooLargeError) as error:
            await self._overcome(error)
        except IllegalStateError:
            # The assignment changed between the look at the workers and the call.
            await asyncio.sleep(poll_ms / 1000)
        else:
            for partition, records in arrived.items():
                if worker := self._assignment.workers.get(partition):
                    worker.put(records)

    async def _overcome(self, error: KafkaError) -> None:
        if isinstance(error, NoOffsetForPartitionError):
            await self._start_at_beginning()
        elif isinstance(error, RecordTooLargeError):
            # aiokafka has moved past what it could not parse.
            _, (topic, number), offset, *_ = error.args
            if worker := self._assignment.workers.get(TopicPartition(topic, number)):
                worker.put([UnreadableBatch(topic, number, offset, offset + 1, "its length is invalid")])
        else:
            for partition, offset in error.args[0].items():
                await self._recovery.out_of_range(partition, offset)

    async def _start_at_beginning(self) -> None:
        """The group has never committed here: read everything. What was applied before is recognised."""
        unread = [each for each in self._assignment if await self._consumer.committed(each[0]) is None]
        # Those that were released during the requests belong to other members by now.
        new = {partition: worker for partition, worker in unread if self._assignment.has(partition, worker)}
        _log.info("partitions_start_at_beginning", partitions=sorted(p.partition for p in new))
        for worker in new.values():
            worker.queue.is_unread = True
        if new:
            with contextlib.suppress(IllegalStateError):  # released during the request
                await self._consumer.seek_to_beginning(*new)

    def _pause_stuck(self) -> None:
        """Pause partitions that retry: aiokafka fetches nothing for the others while their records wait."""
        paused = self._consumer.paused()
        for partition, worker in self._assignment.workers.items():
            is_stuck = worker.status.is_stuck
            if is_stuck is (partition in paused):
                continue
            with contextlib.suppress(IllegalStateError):
                self._consumer.pause(partition) if is_stuck else self._consumer.resume(partition)
