"""Dead letters put back into the log, as they were."""

import asyncio
import contextlib
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from domain.dead_letters import Place
from domain.errors import PoisonRecord, StoreUnavailable
from domain.ports import Replayed
from messaging.dead_letters import PREFIX, Record
from messaging.producer import OutgoingRecord, ResilientProducer
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from messaging.wire import decode

_READ_TIMEOUT_S: Final = 5.0
_CLOSE_TIMEOUT_S: Final = 2.0


class KafkaDeadLetterReplayer:
    """`DeadLetterReplayer` on Kafka. Each replay opens a connection of its own: they are rare."""

    def __init__(self, settings: KafkaSettings, producer: ResilientProducer) -> None:
        self._settings = settings
        self._producer = producer
        self._topics = Topics(settings.topic_prefix)

    async def replay(self, place: Place) -> Replayed | None:
        """See `DeadLetterReplayer.replay`."""
        letter = await self._read(place)
        if letter is None:
            return None
        headers = [(name, value) for name, value in letter.headers if not name.startswith(PREFIX)]
        record = OutgoingRecord(letter.key or b"", letter.value or b"", headers)
        await self._producer.append(self._topics.events, [record])
        return _replayed(letter)

    async def _read(self, place: Place) -> Record | None:
        if place.partition >= self._settings.partitions:
            return None
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.brokers, enable_auto_commit=False, auto_offset_reset="none"
        )
        try:
            async with asyncio.timeout(_READ_TIMEOUT_S):
                await consumer.start()
                return await _record_at(
                    consumer, TopicPartition(self._topics.dead_letters, place.partition), place.offset
                )
        except (KafkaError, OSError, TimeoutError) as error:
            raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error
        finally:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(consumer.stop(), _CLOSE_TIMEOUT_S)


async def _record_at(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> Record | None:
    consumer.assign([partition])
    first = (await consumer.beginning_offsets([partition]))[partition]
    end = (await consumer.end_offsets([partition]))[partition]
    if not first <= offset < end:
        return None
    consumer.seek(partition, offset)
    record: Record = await consumer.getone(partition)
    return record if record.offset == offset else None


def _replayed(letter: Record) -> Replayed:
    try:
        return Replayed(decode(letter.value).command.event_id)
    except PoisonRecord:
        return Replayed(None)
