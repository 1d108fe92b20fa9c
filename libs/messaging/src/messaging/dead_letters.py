"""Dead letters: records that cannot be applied, kept as they were, with where they came from and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from messaging.producer import OutgoingRecord, ResilientProducer
from messaging.topics import Topics


class Record(Protocol):
    """A record as the log gave it."""

    @property
    def topic(self) -> str:
        """Where it stands."""

    @property
    def partition(self) -> int:
        """Where it stands."""

    @property
    def offset(self) -> int:
        """Where it stands."""

    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970."""

    @property
    def key(self) -> bytes | None:
        """Its key."""

    @property
    def value(self) -> bytes | None:
        """Its value."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Its headers."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that will not be tried again by itself.

    Attributes:
        reason: `unreadable` (no retry would help) or `unprocessable` (it broke the code `attempts` times).
        error: what was said about it last.
    """

    record: Record
    reason: str
    error: str
    attempts: int


class KafkaDeadLetters:
    """The dead-letter topic: raw key, value and headers, and `dlq-*` headers beside them."""

    def __init__(self, producer: ResilientProducer, topics: Topics) -> None:
        self._producer = producer
        self._topic = topics.dead_letters

    async def publish(self, letter: DeadLetter) -> None:
        """Append a dead letter; returns when all in-sync replicas have it.

        Raises:
            NotPublished: it is not in the topic.
            PublishUnknown: it may be in the topic, or get there later.
        """
        record = letter.record
        told = {
            "dlq-reason": letter.reason,
            "dlq-error": letter.error,
            "dlq-topic": record.topic,
            "dlq-partition": str(record.partition),
            "dlq-offset": str(record.offset),
            "dlq-timestamp": str(record.timestamp),
            "dlq-attempts": str(letter.attempts),
        }
        headers = [*record.headers, *((name, text.encode()) for name, text in told.items())]
        await self._producer.append(
            self._topic, [OutgoingRecord(record.key or b"", record.value or b"", headers)]
        )
