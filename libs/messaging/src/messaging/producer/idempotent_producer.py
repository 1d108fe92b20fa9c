"""The idempotent producer: appends with a deadline, and another producer when this one is broken."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from domain.errors import NotPublished, PublishUnknown
from domain.processing.dead_letter import RecordPosition
from messaging.log.partitioning import partition_of
from messaging.producer.group_commit import Partition
from messaging.producer.log_appender import LogAppender, Lots
from messaging.producer.log_route import PartitionsClosed
from messaging.producer.outgoing_record import OutgoingRecord
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


_Accepted = list[tuple[Partition, asyncio.Future[Any]]]
"""What aiokafka was handed over: a future for each batch of a partition."""
_HandOver = Callable[[AIOKafkaProducer, _Accepted], Awaitable[None]]


class ResilientProducer:
    """A producer that starts once Kafka is reachable, and is replaced when it breaks."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._commands = Topics(settings.topic_prefix).events
        self._producer: AIOKafkaProducer | None = None
        self._log = LogAppender(settings, self._append_lots, lambda: self._producer and self._producer.client)
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

        Commands go to the generation of the log that is open for their key; `topic` is that of the first.

        Raises:
            NotPublished: none of the records is in the topic.
            PublishUnknown: some may be in the topic, or get there later.
        """
        if topic == self._commands:
            await self._log.append(records)
        else:
            await self.append_all({topic: records})

    async def append_one(self, topic: str, record: OutgoingRecord) -> RecordPosition:
        """Append a record and return its position; see `append`."""
        [appended] = await self._append({topic: [record]})
        return RecordPosition(appended.partition, appended.offset)

    async def append_all(self, records: dict[str, Sequence[OutgoingRecord]]) -> None:
        """Append records to several topics at once; see `append`."""
        await self._append(records)

    async def _append(self, records: dict[str, Sequence[OutgoingRecord]]) -> list[Any]:
        async def hand_over(producer: AIOKafkaProducer, accepted: _Accepted) -> None:
            for topic, batch in records.items():
                count = len(await producer.partitions_for(topic))
                by_partition: dict[int, list[OutgoingRecord]] = {}
                for record in batch:
                    by_partition.setdefault(partition_of(record.key, count), []).append(record)
                for partition, lot in by_partition.items():
                    await self._hand_over(producer, (topic, partition), lot, accepted)

        return await self._deliver(hand_over, records, self._settings.publish_timeout_s)

    async def _append_lots(self, lots: Lots, within_s: float) -> None:
        topics = {topic for topic, _ in lots}

        async def hand_over(producer: AIOKafkaProducer, accepted: _Accepted) -> None:
            for topic in topics:
                self._log.require_whole(topic, len(await producer.partitions_for(topic)))
            for place, lot in lots.items():
                await self._hand_over(producer, place, lot, accepted)

        await self._deliver(hand_over, topics, within_s)

    async def _deliver(self, hand_over: _HandOver, topics: Iterable[str], within_s: float) -> list[Any]:
        producer = self._producer
        if producer is None:
            raise NotPublished("no connection to Kafka")
        accepted: _Accepted = []
        try:
            async with asyncio.timeout(within_s):
                await hand_over(producer, accepted)
                # All of them, whatever becomes of one; and a timeout cancels no append.
                if accepted:
                    await asyncio.wait([future for _, future in accepted])
                return [future.result() for _, future in accepted]
        except (TimeoutError, KafkaTimeoutError) as error:
            if accepted:
                raise PublishUnknown("Kafka did not acknowledge in time") from error
            raise NotPublished("Kafka takes no records at the moment") from error
        except KafkaError as error:
            self._replace_if_broken(producer, error)
            if (closed := self._closed_among(accepted)) is not None:
                raise closed from error
            failure = f"Kafka: {type(error).__name__} at {', '.join(topics)}"
            if accepted:
                raise PublishUnknown(failure) from error
            raise NotPublished(failure) from error
        finally:
            for _, future in accepted:
                _consume(future)

    def _closed_among(self, accepted: _Accepted) -> PartitionsClosed | None:
        """Return which partitions of the log refused their records, if nothing else is wrong."""
        places: set[Partition] = set()
        for place, future in accepted:
            error = future.exception() if future.done() else None
            if error is None:
                continue
            if not isinstance(error, MessageSizeTooLargeError) or not self._log.is_log(place[0]):
                return None
            places.add(place)
        return PartitionsClosed(places) if places else None

    async def _hand_over(
        self,
        producer: AIOKafkaProducer,
        partition: Partition,
        records: Sequence[OutgoingRecord],
        accepted: _Accepted,
    ) -> None:
        """Pass records of one partition to aiokafka, in one builder: 4 µs each, where `send` takes 20."""
        topic, number = partition
        # In turn: aiokafka lets all callers compete for a partition's slot, and takes the whole time off the
        # timeout at every lost attempt. Fifty callers of one shipment would fail within a second.
        async with self._turns[partition]:
            for builder in _builders(producer, records):
                # Appended one by one: if the next one fails, this one is in flight already.
                accepted.append((partition, await producer.send_batch(builder, topic, partition=number)))

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
