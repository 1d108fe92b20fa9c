"""A topic read from the first record that is left, by whoever is no member of a group."""

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

_MOST_AT_ONCE: Final = 20_000
_POLL_MS: Final = 500
_SILENT_FOR_S: Final = 30.0


class LogReader:
    """Reads the partitions of a topic side by side, each in the order of its offsets.

    Attributes:
        begins: the first offset that each partition still has; what was below it is gone.
    """

    def __init__(self, consumer: AIOKafkaConsumer, topic: str, begins: Mapping[int, int]) -> None:
        self.begins = begins
        self._consumer = consumer
        self._topic = topic

    async def ends(self) -> dict[int, int]:
        """Return where each partition ends now."""
        with _translated():
            ends = await self._consumer.end_offsets(self._partitions(self.begins))
        return {partition.partition: end for partition, end in ends.items()}

    async def read(self, until: Mapping[int, int]) -> AsyncIterator[Sequence[Record]]:
        """Give the records below these offsets, from where the last call has ended.

        Raises:
            StoreUnavailable: Kafka went silent, or retention overtook the reading.
        """
        with _translated():
            self._consumer.resume(*self._partitions(self.begins))
            await self._pause_what_is_read(until)
            heard_at = time.monotonic()
            while len(self._consumer.paused()) < len(self.begins):
                arrived = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_MOST_AT_ONCE)
                for partition, records in arrived.items():
                    end = until.get(partition.partition, 0)
                    yield records if records[-1].offset < end else [r for r in records if r.offset < end]
                    heard_at = time.monotonic()
                await self._pause_what_is_read(until)
                if time.monotonic() - heard_at > _SILENT_FOR_S:
                    raise StoreUnavailable(
                        f"Kafka gives nothing more of {self._topic}, and that is not its end"
                    )

    async def _pause_what_is_read(self, until: Mapping[int, int]) -> None:
        for partition in self._partitions(self.begins):
            end = until.get(partition.partition, 0)
            position = await self._consumer.position(partition)
            if position >= end and partition not in self._consumer.paused():
                self._consumer.pause(partition)
                # What was fetched beyond the end is read by a later call, if by any.
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
    """Return the client ids of those who are in a consumer group now.

    Raises:
        StoreUnavailable: Kafka cannot be reached, or does not know.
    """
    admin = AIOKafkaAdminClient(**settings.connection())
    with _translated():
        await admin.start()
        try:
            [answer] = await admin.describe_consumer_groups([group])
        finally:
            await admin.close()
    code, _, _, _, _, members, *_ = answer.groups[0]
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
