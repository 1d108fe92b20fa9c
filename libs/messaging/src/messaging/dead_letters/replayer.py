"""Replay of dead letters into the log, as the original records."""

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
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from messaging.unpacking import tolerant_consumer

_READ_TIMEOUT_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 2.0
_REPLAY_HEADERS: Final = (REPLAY_OF, REPLAYED_BY)

DeadLetterRecords = Mapping[RecordPosition, Record]


class KafkaDeadLetterReplayer:
    """`DeadLetterReplayer` on Kafka. Each replay opens a connection of its own: they are rare."""

    def __init__(self, settings: KafkaSettings, producer: ResilientProducer) -> None:
        self._settings = settings
        self._producer = producer
        self._topics = Topics(settings.topic_prefix)

    async def replay(
        self, positions: Sequence[RecordPosition], *, by: str
    ) -> list[Replayed | TransientError | None]:
        """See `DeadLetterReplayer.replay`.

        Records of one partition are appended at once, in their order; a failure in one partition does not
        affect another.
        """
        wanted = {position for position in positions if position.partition < self._settings.partitions}
        dead_letters = await self._read(wanted) if wanted else {}
        in_order = sorted(dead_letters, key=lambda position: _origin(dead_letters[position]))
        groups = groupby(in_order, lambda position: _origin(dead_letters[position])[:2])
        done = await asyncio.gather(*[self._append(list(group), dead_letters, by) for _, group in groups])
        outcomes = {position: outcome for each in done for position, outcome in each.items()}
        return [outcomes.get(position) for position in positions]

    async def _append(
        self, positions: Sequence[RecordPosition], dead_letters: DeadLetterRecords, by: str
    ) -> dict[RecordPosition, Replayed | TransientError]:
        records = [_again(position, dead_letters[position], by) for position in positions]
        try:
            await self._producer.append(self._topics.events, records)
        except (NotPublished, PublishUnknown) as error:
            return dict.fromkeys(positions, error)
        return {position: _replayed(dead_letters[position]) for position in positions}

    async def _read(self, positions: Collection[RecordPosition]) -> DeadLetterRecords:
        consumer = tolerant_consumer(
            **self._settings.connection(), enable_auto_commit=False, auto_offset_reset="none"
        )
        try:
            async with asyncio.timeout(_READ_TIMEOUT_S):
                await consumer.start()
                return {
                    RecordPosition(record.partition, record.offset): record
                    async for record in _records_at(consumer, self._topics.dead_letters, positions)
                }
        except (KafkaError, OSError, TimeoutError) as error:
            raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error
        finally:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(consumer.stop(), _CLOSE_TIMEOUT_S)


async def _records_at(
    consumer: AIOKafkaConsumer, topic: str, positions: Collection[RecordPosition]
) -> AsyncIterator[Record]:
    for number, group in groupby(sorted(positions), lambda position: position.partition):
        partition = TopicPartition(topic, number)
        consumer.assign([partition])
        first = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
        follows: int | None = None
        for offset in (position.offset for position in group if first <= position.offset < end):
            if offset != follows:  # the next one is here already: a seek would throw it away
                consumer.seek(partition, offset)
            record: Record = await consumer.getone(partition)
            follows = record.offset + 1
            if record.offset == offset:
                yield record


def _again(position: RecordPosition, dead_letter: Record, by: str) -> OutgoingRecord:
    """Return the original record of a dead letter, with the headers of the replay."""
    kept = [
        (name, value)
        for name, value in dead_letter.headers
        if not name.startswith(PREFIX) and name not in _REPLAY_HEADERS
    ]
    marks = [(REPLAY_OF, dead_letter_id(position).encode()), (REPLAYED_BY, by.encode())]
    return OutgoingRecord(dead_letter.key or b"", dead_letter.value or b"", [*kept, *marks])


def _origin(dead_letter: Record) -> tuple[str, int, int]:
    """Return the position of the original record in the log; one without it sorts before all others."""
    origin = {
        name: header(dead_letter.headers, f"{PREFIX}{name}") or ""
        for name in ("topic", "partition", "offset")
    }
    return origin["topic"], _number(origin["partition"]), _number(origin["offset"])


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else -1


def _replayed(dead_letter: Record) -> Replayed:
    if header(dead_letter.headers, f"{PREFIX}{UNREAD}") is not None:
        return Replayed(None)  # reading it has crashed processes
    try:
        return Replayed(decode(dead_letter.value).command.event_id)
    except PoisonRecord:
        return Replayed(None)
