"""A reader of a whole topic, from its first record, outside of any group."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, OffsetOutOfRangeError, for_code

from domain.errors import StoreUnavailable
from messaging.dead_letters.records import Record
from messaging.settings import KafkaSettings
from messaging.unpacking import tolerant_consumer

_MAX_RECORDS: Final = 20_000
_POLL_MS: Final = 500
_SILENCE_TIMEOUT_S: Final = 30.0


class LogReader:
    """A reader of the partitions of a topic, concurrently, each in the order of its offsets.

    Attributes:
        begins: the first offset that each partition still has.
    """

    def __init__(self, consumer: AIOKafkaConsumer, topic: str, begins: Mapping[int, int]) -> None:
        self.begins = begins
        self._consumer = consumer
        self._topic = topic

    async def ends(self) -> dict[int, int]:
        """Return the end offset of each partition now."""
        with _translated():
            ends = await self._consumer.end_offsets(self._partitions(self.begins))
        return {partition.partition: end for partition, end in ends.items()}

    async def read(self, until: Mapping[int, int]) -> AsyncIterator[Sequence[Record]]:
        """Yield the records below these offsets, from the end of the last call.

        Raises:
            StoreUnavailable: Kafka stopped responding, or retention overtook the reader.
        """
        with _translated():
            self._consumer.resume(*self._partitions(self.begins))
            await self._pause_finished(until)
            heard_at = time.monotonic()
            while len(self._consumer.paused()) < len(self.begins):
                arrived = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_MAX_RECORDS)
                for partition, records in arrived.items():
                    end = until.get(partition.partition, 0)
                    yield records if records[-1].offset < end else [r for r in records if r.offset < end]
                    heard_at = time.monotonic()
                await self._pause_finished(until)
                if time.monotonic() - heard_at > _SILENCE_TIMEOUT_S:
                    raise StoreUnavailable(f"Kafka returns no more of {self._topic} before its end")

    async def _pause_finished(self, until: Mapping[int, int]) -> None:
        for partition in self._partitions(self.begins):
            end = until.get(partition.partition, 0)
            position = await self._consumer.position(partition)
            if position >= end and partition not in self._consumer.paused():
                self._consumer.pause(partition)
                # Records fetched beyond the end are left to a later call.
                self._consumer.seek(partition, min(position, max(end, self.begins[partition.partition])))

    def _partitions(self, numbers: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, number) for number in numbers]


@asynccontextmanager
async def reading(settings: KafkaSettings, topic: str) -> AsyncIterator[LogReader]:
    """Open a topic for reading from its beginning.

    Raises:
        StoreUnavailable: Kafka cannot be reached, or has no such topic.
    """
    consumer = tolerant_consumer(
        topic,  # without a group: all of its partitions
        **settings.connection(),
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    with _translated():
        await consumer.start()
    try:
        yield await _at_the_beginning(consumer, topic)
    finally:
        with _translated():
            await consumer.stop()


async def members_of(settings: KafkaSettings, group: str) -> list[str]:
    """Return the client ids of the current members of a consumer group.

    Raises:
        StoreUnavailable: Kafka cannot be reached, or does not know the group.
    """
    admin = AIOKafkaAdminClient(**settings.connection())
    with _translated():
        await admin.start()
        try:
            [response] = await admin.describe_consumer_groups([group])
        finally:
            await admin.close()
    code, _, _, _, _, members, *_ = response.groups[0]
    if code:
        raise StoreUnavailable(f"Kafka does not know group {group}: {for_code(code).__name__}")
    return [client for _, client, *_ in members]


async def _at_the_beginning(consumer: AIOKafkaConsumer, topic: str) -> LogReader:
    with _translated():
        begins = await consumer.beginning_offsets(sorted(consumer.assignment()))
        for partition, begin in begins.items():
            consumer.seek(partition, begin)
    return LogReader(consumer, topic, {partition.partition: begin for partition, begin in begins.items()})


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OffsetOutOfRangeError as error:
        raise StoreUnavailable("retention removed records while they were read: read again") from error
    except (KafkaError, OSError) as error:
        raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error
