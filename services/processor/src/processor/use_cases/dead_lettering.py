"""What operators are told of a record that cannot be applied."""

from datetime import datetime
from typing import Final

from domain.processing.batch import ConsumedCommand
from domain.processing.dead_letter import DeadLetterEntry, Header, RecordPosition, dead_letter_id
from messaging.dead_letters.records import DeadLetter, instant_of, replay_in

_PREVIEW_BYTES: Final = 500
_LONGEST_ERROR: Final = 2000
_LONGEST_KEY: Final = 200
_MOST_HEADERS: Final = 20
_LONGEST_HEADER: Final = 200


def entry_of(
    letter: DeadLetter, place: RecordPosition, delivery: ConsumedCommand | None, *, recorded_at: datetime
) -> DeadLetterEntry:
    """Describe a dead letter.

    Args:
        letter: the record and why it died.
        place: where it stands in the dead-letter topic.
        delivery: what the record says, None if it cannot be read.
        recorded_at: now.
    """
    record = letter.record
    replay = replay_in(record)
    return DeadLetterEntry(
        id=dead_letter_id(place),
        reason=letter.reason,
        error=letter.error[:_LONGEST_ERROR],
        attempts=letter.attempts,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=instant_of(record),
        key=None if record.key is None else _text(record.key[:_LONGEST_KEY]),
        event_id=None if delivery is None else delivery.command.event_id,
        tracking_number=None if delivery is None else delivery.command.tracking_number,
        recorded_at=recorded_at,
        value_preview=_text((record.value or b"")[:_PREVIEW_BYTES]),
        headers=[_shown(name, value) for name, value in record.headers[:_MOST_HEADERS]],
        replay_of=None if replay is None else replay.letter,
    )


def _shown(name: str, value: bytes | None) -> Header:
    return Header(name[:_LONGEST_HEADER], None if value is None else _text(value[:_LONGEST_HEADER]))


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
