"""Index entries of dead letters."""

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
    dead_letter: DeadLetter,
    position: RecordPosition,
    consumed: ConsumedCommand | None,
    *,
    recorded_at: datetime,
) -> DeadLetterEntry:
    """Return the index entry of a dead letter.

    Args:
        dead_letter: the record, and the reason why it cannot be applied.
        position: of the dead letter in the dead-letter topic.
        consumed: the command in the record, None if it cannot be read.
        recorded_at: now.
    """
    record = dead_letter.record
    replay = replay_in(record)
    return DeadLetterEntry(
        id=dead_letter_id(position),
        reason=dead_letter.reason,
        error=dead_letter.error[:_LONGEST_ERROR],
        attempts=dead_letter.attempts,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=instant_of(record),
        key=None if record.key is None else _text(record.key[:_LONGEST_KEY]),
        event_id=None if consumed is None else consumed.command.event_id,
        tracking_number=None if consumed is None else consumed.command.tracking_number,
        recorded_at=recorded_at,
        value_preview=_text((record.value or b"")[:_PREVIEW_BYTES]),
        headers=[_shown(name, value) for name, value in record.headers[:_MOST_HEADERS]],
        replay_of=None if replay is None else replay.dead_letter_id,
    )


def _shown(name: str, value: bytes | None) -> Header:
    return Header(name[:_LONGEST_HEADER], None if value is None else _text(value[:_LONGEST_HEADER]))


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
