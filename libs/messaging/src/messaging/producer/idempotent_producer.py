"""The idempotent producer: appends with a deadline, and another producer when this one is broken."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.partitioner import murmur2

from domain.errors import NotPublished, PublishUnknown
from domain.processing.dead_letter import RecordPosition
from messaging.codec import Headers
from messaging.producer.group_commit import GroupCommit, Partition
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from servicekit.background_tasks import in_background

_log = structlog.get_logger(__name__)

_RECONNECT_S: Final = 0.5
_CLOSE_S: Final = 2.0
_METADATA_MAX_AGE_MS: Final = 10_000
# Before compression; what counts is the bound of the topic. With the default of 1 MiB a highly
# compressible dead letter could not be stored.
_MAX_REQUEST_BYTES: Final = 64 * 1024 * 1024
# Permanent errors: aiokafka never raises its epoch (aio-libs/aiokafka#1017), only another producer helps.
_BROKEN: Final = frozenset(
    {
        "InvalidProducerEpoch",
        "InvalidProducerIdMapping",
        "OutOfOrderSequenceNumber",
        "ProducerClosed",
        "ProducerFenced",
        "UnknownProducerId",
    }
)


_HandOver = Callable[[AIOKafkaProducer, list[asyncio.Future[Any]]], Awaitable[None]]


class OutgoingRecord(NamedTuple):
    """A record to append to a topic."""

    key: bytes
    value: bytes
    headers: Headers


class ResilientProducer:
    """A producer that starts once Kafka is reachable, and is replaced when it breaks."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._commands = Topics(settings.topic_prefix).events
        self._producer: AIOKafkaProducer | None = None
        self._together = GroupCommit(
            self._append_together, within_s=settings.publish_timeout_s, pace_s=settings.pace_s
        )
        self._turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._wanted = asyncio.Event()
        self._wanted.set()

    @property
    def is_started(self) -> bool:
        """True while records can be appended."""
        return self._producer is not None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep a working producer while the context lasts; does not wait for Kafka."""
        try:
            async with in_background(self._keep(), name="producer-keeper"):
                yield
        finally:
            if self._producer is not None:
                await _close(self._producer)
                self._producer = None

    async def append(self, topic: str, records: Sequence[OutgoingRecord]) -> None:
        """Append records, those of one key in the order given; wait for all in-sync replicas.

        Raises:
            NotPublished: none of the records is in the topic.
            PublishUnknown: some may be in the topic, or get there later.
        """
        count = self._partitions(topic) if len(records) == 1 else 0
        if not count:
            await self.append_all({topic: records})
            return
        [record] = records
        await self._together.append((topic, partition_of(record.key, count)), record)

    async def append_one(self, topic: str, record: OutgoingRecord) -> RecordPosition:
        """Append a record and return its position; see `append`."""
        [appended] = await self._append({topic: [record]})
        return RecordPosition(appended.partition, appended.offset)

    async def append_all(self, records: dict[str, Sequence[OutgoingRecord]]) -> None:
        """Append records to several topics at once; see `append`."""
        await self._append(records)

    def _partitions(self, topic: str) -> int:
        """Return the number of partitions that keys are spread over; 0 while it is unknown."""
        if self._producer is None:
            return 0
        known = len(self._producer.client.cluster.partitions_for_topic(topic) or ())
        return self._spread(topic, known) if known else 0

    def _spread(self, topic: str, known: int) -> int:
        """Return the number of a topic's partitions that keys are spread over.

        That of the commands is declared: an added partition would move shipments away from their waiting
        events.
        """
        if topic != self._commands:
            return known
        declared = self._settings.partitions
        if known < declared:
            raise NotPublished(f"topic {topic} has {known} partitions, not {declared}")
        return declared

    async def _append(self, records: dict[str, Sequence[OutgoingRecord]]) -> list[Any]:
        async def hand_over(producer: AIOKafkaProducer, accepted: list[asyncio.Future[Any]]) -> None:
            for topic, batch in records.items():
                count = self._spread(topic, len(await producer.partitions_for(topic)))
                by_partition: dict[int, list[OutgoingRecord]] = {}
                for record in batch:
                    by_partition.setdefault(partition_of(record.key, count), []).append(record)
                for partition, lot in by_partition.items():
                    await self._hand_over(producer, (topic, partition), lot, accepted)

        return await self._deliver(hand_over, records, self._settings.publish_timeout_s)

    async def _append_together(
        self, partition: Partition, records: Sequence[OutgoingRecord], deadline: float
    ) -> None:
        async def hand_over(producer: AIOKafkaProducer, accepted: list[asyncio.Future[Any]]) -> None:
            await self._hand_over(producer, partition, records, accepted)

        await self._deliver(hand_over, partition[:1], deadline - asyncio.get_running_loop().time())

    async def _deliver(self, hand_over: _HandOver, topics: Iterable[str], within_s: float) -> list[Any]:
        producer = self._producer
        if producer is None:
            raise NotPublished("no connection to Kafka")
        accepted: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(within_s):
                await hand_over(producer, accepted)
                # aiokafka shields them: the timeout cancels no append.
                return await asyncio.gather(*accepted)
        except (TimeoutError, KafkaTimeoutError) as error:
            if accepted:
                raise PublishUnknown("Kafka did not acknowledge in time") from error
            raise NotPublished("Kafka takes no records at the moment") from error
        except KafkaError as error:
            self._replace_if_broken(producer, error)
            failure = f"Kafka: {type(error).__name__} at {', '.join(topics)}"
            if accepted:
                raise PublishUnknown(failure) from error
            raise NotPublished(failure) from error
        finally:
            for future in accepted:
                _consume(future)

    async def _hand_over(
        self,
        producer: AIOKafkaProducer,
        partition: Partition,
        records: Sequence[OutgoingRecord],
        accepted: list[asyncio.Future[Any]],
    ) -> None:
        """Pass records of one partition to aiokafka, in one builder: 4 µs each, where `send` takes 20."""
        topic, number = partition
        # In turn: aiokafka lets all callers compete for a partition's slot, and takes the whole time off the
        # timeout at every lost attempt. Fifty callers of one shipment would fail within a second.
        async with self._turns[partition]:
            for builder in _builders(producer, records):
                # Appended one by one: if the next one fails, this one is in flight already.
                accepted.append(  # noqa: PERF401
                    await producer.send_batch(builder, topic, partition=number)
                )

    def _replace_if_broken(self, producer: AIOKafkaProducer, error: KafkaError) -> None:
        if type(error).__name__ in _BROKEN and self._producer is producer:
            _log.error("producer_broken", error=type(error).__name__)
            self._producer = None
            self._wanted.set()

    async def _keep(self) -> None:
        previous: AIOKafkaProducer | None = None
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if previous is not None:
                await _close(previous)
            previous = self._producer = await self._start()
            _log.info("producer_started")

    async def _start(self) -> AIOKafkaProducer:
        while True:
            producer = AIOKafkaProducer(
                **self._settings.connection(),
                enable_idempotence=True,
                acks="all",
                compression_type=self._settings.compression,
                max_batch_size=self._settings.max_batch_bytes,
                max_request_size=_MAX_REQUEST_BYTES,
                request_timeout_ms=int(self._settings.request_timeout_s * 1000),
                # A topic with too few partitions is rejected by cached metadata, which no append renews.
                metadata_max_age_ms=_METADATA_MAX_AGE_MS,
            )
            try:
                await producer.start()
            except (KafkaError, OSError) as error:
                _log.warning("kafka_unreachable", error=str(error))
                await _close(producer)
                await asyncio.sleep(_RECONNECT_S)
            except BaseException:
                await _close(producer)
                raise
            else:
                return producer


@lru_cache(maxsize=32_768)  # a shipment comes back about five times; the hash is 3 µs of pure Python
def partition_of(key: bytes, count: int) -> int:
    """Return the partition of a key, the same that Kafka's own clients choose."""
    return (int(murmur2(key)) & 0x7FFFFFFF) % count


def _builders(producer: AIOKafkaProducer, records: Iterable[OutgoingRecord]) -> Iterable[Any]:
    builder = producer.create_batch()
    for key, value, headers in records:
        while builder.append(key=key, value=value, timestamp=None, headers=headers) is None:
            yield builder
            builder = producer.create_batch()
    builder.close()
    yield builder


async def _close(producer: AIOKafkaProducer) -> None:
    # An idempotent producer waits for ever for its unsent batches (aio-libs/aiokafka#1101).
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await producer.stop()


def _consume(future: asyncio.Future[Any]) -> None:
    """Retrieve the result of an append that nobody waits for any more, so that asyncio logs nothing."""

    def take(done: asyncio.Future[Any]) -> None:
        if not done.cancelled():
            done.exception()

    future.add_done_callback(take)
