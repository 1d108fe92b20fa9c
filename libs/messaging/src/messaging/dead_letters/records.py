"""Dead letters: records that cannot be applied, stored unchanged, with their origin and the reason.

One that is replayed into the log has headers that say so. If it is dead-lettered again, they stay.
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
from domain.processing.dead_letter import DeadLetterId, RecordPosition, Replay, position_of
from messaging.codec import header
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.topics import Topics

PREFIX: Final = "dlq-"
"""The prefix of the headers that a dead letter has beside those of its record."""
REPLAY_OF: Final = "replay-of"
"""The header with the id of the dead letter that a record is a replay of."""
REPLAYED_BY: Final = "replayed-by"
"""The header with the operator who replayed it."""

# Not an unknown topic: Kafka returns that, too, for one that is being created or moved.
_REFUSALS: Final = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS: Final = 253_402_300_799_999
"""The end of the year 9999, in milliseconds since 1970."""


class Record(Protocol):
    """A record as it was fetched from the log."""

    @property
    def topic(self) -> str:
        """The topic."""

    @property
    def partition(self) -> int:
        """The number of the partition."""

    @property
    def offset(self) -> int:
        """The offset in the partition."""

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
"""The reason of a dead letter that no retry would help: its record holds no valid command."""
UNREAD: Final = "unread"
"""The header, after `PREFIX`, of a dead letter that crashes every reader."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that is not retried by itself.

    Attributes:
        reason: `unreadable` (no retry would help), `unprocessable` (it broke the code, or ended the process,
            `attempts` times), or `quarantined`.
        error: the last error.
        unread: reading it may crash the process.
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

    async def publish(self, dead_letter: DeadLetter) -> RecordPosition:
        """Append a dead letter; return its position, once all in-sync replicas have it.

        Raises:
            NotPublished: it is not in the topic.
            PublishUnknown: it may be in the topic, or get there later.
            DeadLetterRejected: the topic rejects it, until its settings or rights change.
        """
        record = dead_letter.record
        origin = {
            "reason": dead_letter.reason,
            "error": dead_letter.error,
            "topic": record.topic,
            "partition": str(record.partition),
            "offset": str(record.offset),
            "timestamp": str(record.timestamp),
            "attempts": str(dead_letter.attempts),
        }
        if dead_letter.unread:
            origin[UNREAD] = "true"
        headers = [*record.headers, *((f"{PREFIX}{name}", text.encode()) for name, text in origin.items())]
        outgoing = OutgoingRecord(record.key or b"", record.value or b"", headers)
        try:
            return await self._producer.append_one(self._topic, outgoing)
        except (NotPublished, PublishUnknown) as error:
            if isinstance(error.__cause__, _REFUSALS):
                raise DeadLetterRejected(f"{self._topic} refuses it: {error}") from error
            raise


def replays_in(records: Iterable[Record]) -> Iterator[Replay]:
    """Yield the replays among records of the log."""
    for record in records:
        # A replay has two headers at least, an ordinary record one: it pays for this check and no more.
        if len(record.headers) > 1:
            replay = replay_in(record)
            if replay is not None:
                yield replay


def replay_in(record: Record) -> Replay | None:
    """Return the replay that a record is, None if it is none."""
    dead_letter_id = header(record.headers, REPLAY_OF)
    if dead_letter_id is None or position_of(dead_letter_id) is None:
        return None
    by = header(record.headers, REPLAYED_BY)
    if by is None:
        return None
    return Replay(
        dead_letter_id=DeadLetterId(dead_letter_id),
        by=by,
        at=instant_of(record),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )


def instant_of(record: Record) -> datetime:
    """Return when a record was appended, or as its producer claims, within the range of `datetime`."""
    return instant_at(record.timestamp)


def instant_at(timestamp_ms: int) -> datetime:
    """Return the instant of milliseconds since 1970, clamped to the range of `datetime`."""
    return _EPOCH + timedelta(milliseconds=max(0, min(timestamp_ms, _LAST_MS)))
