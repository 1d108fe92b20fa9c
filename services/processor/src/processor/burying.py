"""What operators are told of a record that cannot be applied."""

from datetime import UTC, datetime, timedelta
from typing import Final

from domain.batch import Delivery
from domain.dead_letters import DeadLetterEntry, Place, dead_letter_id
from messaging.dead_letters import DeadLetter

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PREVIEW_BYTES: Final = 500
_LONGEST_ERROR: Final = 2000
_LONGEST_KEY: Final = 200


def entry_of(
    letter: DeadLetter, place: Place, delivery: Delivery | None, *, recorded_at: datetime
) -> DeadLetterEntry:
    """Describe a dead letter.

    Args:
        letter: the record and why it died.
        place: where it stands in the dead-letter topic.
        delivery: what the record says, None if it cannot be read.
        recorded_at: now.
    """
    record = letter.record
    return DeadLetterEntry(
        id=dead_letter_id(place),
        reason=letter.reason,
        error=letter.error[:_LONGEST_ERROR],
        attempts=letter.attempts,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=_EPOCH + timedelta(milliseconds=record.timestamp),
        key=None if record.key is None else _text(record.key[:_LONGEST_KEY]),
        event_id=None if delivery is None else delivery.command.event_id,
        tracking_number=None if delivery is None else delivery.command.tracking_number,
        recorded_at=recorded_at,
        value_preview=_text((record.value or b"")[:_PREVIEW_BYTES]),
    )


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
