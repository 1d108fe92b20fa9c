"""Dead letters: records that cannot be applied, kept as they were, with where they came from and why.

One that is put back into the log says so in its headers. If it dies again, its new dead letter has them too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from aiokafka.errors import (
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

from domain.errors import DeadLetterRejected, NotPublished, PublishUnknown
from domain.processing.dead_letter import DeadLetterId, RecordPosition, Replay, place_of
from messaging.codec import header
from messaging.producer.idempotent_producer import OutgoingRecord, ResilientProducer
from messaging.topics import Topics

PREFIX: Final = "dlq-"
"""Of the headers that say where a dead letter comes from, beside those that it had."""
REPLAY_OF: Final = "replay-of"
"""The header that says which dead letter a record was."""
REPLAYED_BY: Final = "replayed-by"
"""The header that says who wanted it in the log again."""

# Not that the topic is unknown: Kafka says so, too, of one that it is about to make or to move.
_REFUSALS: Final = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS: Final = 253_402_300_799_999
"""The end of the year 9999."""


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


UNREADABLE: Final = "unreadable"
"""The reason of a dead letter that no retry would help: its record says nothing that may be applied."""
UNREAD: Final = "unread"
"""The header, behind `PREFIX`, of a dead letter that nobody should read who wants to live."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that will not be tried again by itself.

    Attributes:
        reason: `unreadable` (no retry would help), `unprocessable` (it broke the code, or ended the process,
            `attempts` times), or `quarantined`.
        error: what was said about it last.
        unread: reading it may end the process.
    """

    record: Record
    reason: str
    error: str
    attempts: int
    unread: bool = False


class KafkaDeadLetters:
    """The dead-letter topic: raw key, value and headers, and `dlq-*` headers beside them."""

    def __init__(self, producer: ResilientProducer, topics: Topics) -> None:
        self._producer = producer
        self._topic = topics.dead_letters

    async def publish(self, letter: DeadLetter) -> RecordPosition:
        """Append a dead letter; returns where it stands, when all in-sync replicas have it.

        Raises:
            NotPublished: it is not in the topic.
            PublishUnknown: it may be in the topic, or get there later.
            DeadLetterRejected: it never will be, until somebody changes the topic or its rights.
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
        if letter.unread:
            told[UNREAD] = "true"
        headers = [*record.headers, *((f"{PREFIX}{name}", text.encode()) for name, text in told.items())]
        outgoing = OutgoingRecord(record.key or b"", record.value or b"", headers)
        try:
            return await self._producer.append_one(self._topic, outgoing)
        except (NotPublished, PublishUnknown) as error:
            if isinstance(error.__cause__, _REFUSALS):
                raise DeadLetterRejected(f"{self._topic} refuses it: {error}") from error
            raise


def replays_in(records: Iterable[Record]) -> Iterator[Replay]:
    """Yield what records say of their being dead letters that were put back into the log."""
    for record in records:
        # A replay has two headers at least, an everyday record one: it pays for this look and no more.
        if len(record.headers) > 1:
            replay = replay_in(record)
            if replay is not None:
                yield replay


def replay_in(record: Record) -> Replay | None:
    """Return what a record says of its being a dead letter that was put back into the log."""
    letter = header(record.headers, REPLAY_OF)
    if letter is None or place_of(letter) is None:
        return None
    by = header(record.headers, REPLAYED_BY)
    if by is None:
        return None
    return Replay(
        letter=DeadLetterId(letter),
        by=by,
        at=instant_of(record),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )


def instant_of(record: Record) -> datetime:
    """Return when a record was appended, as its producer may say: the nearest time that there is."""
    return instant_at(record.timestamp)


def instant_at(timestamp_ms: int) -> datetime:
    """Return the nearest time that there is to so many milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=max(0, min(timestamp_ms, _LAST_MS)))
