"""Dead letters put back into the log, as they were."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from itertools import groupby
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from domain.errors import NotPublished, PoisonRecord, PublishUnknown, StoreUnavailable, TransientError
from domain.ports.dead_letters import Replayed
from domain.processing.dead_letter import RecordPosition, dead_letter_id
from messaging.codec import decode, header
from messaging.dead_letters.records import PREFIX, REPLAY_OF, REPLAYED_BY, UNREAD, Record
from messaging.producer.idempotent_producer import OutgoingRecord, ResilientProducer
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from messaging.unpacking import tolerant_consumer

_READ_TIMEOUT_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 2.0
_OURS: Final = (REPLAY_OF, REPLAYED_BY)

DeadLetterRecords = Mapping[RecordPosition, Record]


class KafkaDeadLetterReplayer:
    """`DeadLetterReplayer` on Kafka. Each replay opens a connection of its own: they are rare."""

    def __init__(self, settings: KafkaSettings, producer: ResilientProducer) -> None:
        self._settings = settings
        self._producer = producer
        self._topics = Topics(settings.topic_prefix)

    async def replay(
        self, places: Sequence[RecordPosition], *, by: str
    ) -> list[Replayed | TransientError | None]:
        """See `DeadLetterReplayer.replay`.

        What came from one partition is appended at once, in its order; one partition's trouble is not
        another's.
        """
        wanted = {place for place in places if place.partition < self._settings.partitions}
        letters = await self._read(wanted) if wanted else {}
        in_order = sorted(letters, key=lambda place: _origin(letters[place]))
        groups = groupby(in_order, lambda place: _origin(letters[place])[:2])
        done = await asyncio.gather(*[self._append(list(group), letters, by) for _, group in groups])
        outcomes = {place: outcome for each in done for place, outcome in each.items()}
        return [outcomes.get(place) for place in places]

    async def _append(
        self, places: Sequence[RecordPosition], letters: DeadLetterRecords, by: str
    ) -> dict[RecordPosition, Replayed | TransientError]:
        records = [_again(place, letters[place], by) for place in places]
        try:
            await self._producer.append(self._topics.events, records)
        except (NotPublished, PublishUnknown) as error:
            return dict.fromkeys(places, error)
        return {place: _replayed(letters[place]) for place in places}

    async def _read(self, places: Collection[RecordPosition]) -> DeadLetterRecords:
        consumer = tolerant_consumer(
            **self._settings.connection(), enable_auto_commit=False, auto_offset_reset="none"
        )
        try:
            async with asyncio.timeout(_READ_TIMEOUT_S):
                await consumer.start()
                return {
                    RecordPosition(record.partition, record.offset): record
                    async for record in _records_at(consumer, self._topics.dead_letters, places)
                }
        except (KafkaError, OSError, TimeoutError) as error:
            raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error
        finally:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(consumer.stop(), _CLOSE_TIMEOUT_S)


async def _records_at(
    consumer: AIOKafkaConsumer, topic: str, places: Collection[RecordPosition]
) -> AsyncIterator[Record]:
    for number, group in groupby(sorted(places), lambda place: place.partition):
        partition = TopicPartition(topic, number)
        consumer.assign([partition])
        first = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
        follows: int | None = None
        for offset in (place.offset for place in group if first <= place.offset < end):
            if offset != follows:  # the next one is here already: a seek would throw it away
                consumer.seek(partition, offset)
            record: Record = await consumer.getone(partition)
            follows = record.offset + 1
            if record.offset == offset:
                yield record


def _again(place: RecordPosition, letter: Record, by: str) -> OutgoingRecord:
    """Return a dead letter as it was before it died, with whose replay it is."""
    kept = [
        (name, value) for name, value in letter.headers if not name.startswith(PREFIX) and name not in _OURS
    ]
    said = [(REPLAY_OF, dead_letter_id(place).encode()), (REPLAYED_BY, by.encode())]
    return OutgoingRecord(letter.key or b"", letter.value or b"", [*kept, *said])


def _origin(letter: Record) -> tuple[str, int, int]:
    """Return where a dead letter stood in the log; what does not say stands before all others."""
    told = {
        name: header(letter.headers, f"{PREFIX}{name}") or "" for name in ("topic", "partition", "offset")
    }
    return told["topic"], _number(told["partition"]), _number(told["offset"])


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else -1


def _replayed(letter: Record) -> Replayed:
    if header(letter.headers, f"{PREFIX}{UNREAD}") is not None:
        return Replayed(None)  # reading it has ended processes
    try:
        return Replayed(decode(letter.value).command.event_id)
    except PoisonRecord:
        return Replayed(None)
