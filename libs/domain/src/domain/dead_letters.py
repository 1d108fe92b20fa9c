"""Dead letters by name: where one stands in its topic is its id, so that it can be found by either."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, NewType

from domain.identity import EventId
from domain.tracking_number import TrackingNumber

DeadLetterId = NewType("DeadLetterId", str)

_FORM: Final = re.compile(r"dl_(0|[1-9][0-9]{0,8})_(0|[1-9][0-9]{0,17})", re.ASCII)


class Place(NamedTuple):
    """Where a record stands in a topic."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterEntry:
    """What is kept of a dead letter where operators look for it.

    Attributes:
        reason: `unreadable` or `unprocessable`.
        error: what was said about it last.
        topic, partition, offset, timestamp: of the record that died.
        key: as text; what is no UTF-8 is replaced.
        event_id, tracking_number: None if it cannot be read.
        value_preview: how it begins, as text.
    """

    id: DeadLetterId
    reason: str
    error: str
    attempts: int
    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: str | None
    event_id: EventId | None
    tracking_number: TrackingNumber | None
    recorded_at: datetime
    value_preview: str


def dead_letter_id(place: Place) -> DeadLetterId:
    """Return the id of the dead letter at a place of the dead-letter topic."""
    return DeadLetterId(f"dl_{place.partition}_{place.offset}")


def place_of(text: str) -> Place | None:
    """Return where the dead letter with this id stands; None if no dead letter can have it."""
    match = _FORM.fullmatch(text)
    return None if match is None else Place(int(match[1]), int(match[2]))
