"""Dead letters: records that cannot be applied, kept as they were, with where they came from and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from domain.dead_letters import Place
from messaging.producer import OutgoingRecord, ResilientProducer
from messaging.topics import Topics

PREFIX: Final = "dlq-"
"""Of the headers that say where a dead letter comes from, beside those that it had."""


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

    async def publish(self, letter: DeadLetter) -> Place:
        """Append a dead letter; returns where it stands, when all in-sync replicas have it.

        Raises:
            NotPublished: it is not in the topic.
            PublishUnknown: it may be in the topic, or get there later.
        """
        record = letter.record
        told = {
            "reason": letter.reason,
            "error": letter.error,
            "topic": record.topic,
            "partition": str(record.partition),
            "offset": str(record.offset),
            "timestamp": str(record.timestamp),
            "attempts": str(letter.attempts),
        }
        headers = [*record.headers, *((f"{PREFIX}{name}", text.encode()) for name, text in told.items())]
        return await self._producer.append_one(
            self._topic, OutgoingRecord(record.key or b"", record.value or b"", headers)
        )
