"""Dead letters: their names, what is kept of them where operators look, and what may become of one.

Where one stands in its topic is its id, so that it can be found by either.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NewType

from domain.access.operator_actions import ActionKind, OperatorAction, action_id
from domain.shipments.event_identity import EventId
from domain.shipments.tracking_number import TrackingNumber
from domain.timestamps import format_timestamp

DeadLetterId = NewType("DeadLetterId", str)

_FORM: Final = re.compile(r"dl_(0|[1-9][0-9]{0,8})_(0|[1-9][0-9]{0,17})", re.ASCII)


class RecordPosition(NamedTuple):
    """Where a record stands in a topic."""

    partition: int
    offset: int


class DeadLetterState(StrEnum):
    """What operators have done about a dead letter last."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Header:
    """A header of a record, as text; what is no UTF-8 is replaced, and Kafka allows None."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A dead letter that stands in the log again.

    Attributes:
        at: when it was appended.
        topic, partition, offset: where it stands now.
    """

    letter: DeadLetterId
    by: str
    at: datetime
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """An operator's word that nobody needs a dead letter any more."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterEntry:
    """What is kept of a dead letter where operators look for it.

    Attributes:
        reason: `unreadable`, `unprocessable` or `quarantined`.
        error: what was said about it last.
        topic, partition, offset, timestamp: of the record that died.
        key: as text; what is no UTF-8 is replaced.
        event_id, tracking_number: None if it cannot be read.
        value_preview: how it begins, as text.
        headers: some of its headers.
        replay_of: the dead letter that was replayed as this record; None if it had not died before.
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
    headers: Sequence[Header] = field(default_factory=list)
    replay_of: DeadLetterId | None = None


UNTOUCHED: Final[Mapping[str, Any]] = MappingProxyType(
    {"state": DeadLetterState.OPEN.value, "replays": 0, "last_replay": None, "discard": None}
)
"""What is kept beside a `DeadLetterEntry` of what became of it, before anything has."""


def dead_letter_id(place: RecordPosition) -> DeadLetterId:
    """Return the id of the dead letter at a place of the dead-letter topic."""
    return DeadLetterId(f"dl_{place.partition}_{place.offset}")


def place_of(text: str) -> RecordPosition | None:
    """Return where the dead letter with this id stands; None if no dead letter can have it."""
    match = _FORM.fullmatch(text)
    return None if match is None else RecordPosition(int(match[1]), int(match[2]))


def last_replay(replay: Replay) -> dict[str, Any]:
    """Return what is kept of the last replay beside an entry."""
    return {
        "by": replay.by,
        "at": replay.at,
        "topic": replay.topic,
        "partition": replay.partition,
        "offset": replay.offset,
    }


def replayed(replay: Replay) -> OperatorAction:
    """Return the deed that a record of the log tells of; the record's place and time make it one."""
    place = f"{replay.topic}/{replay.partition}/{replay.offset}"
    kind = ActionKind.DEAD_LETTER_REPLAYED
    return OperatorAction(
        id=action_id(kind, place, format_timestamp(replay.at)),
        at=replay.at,
        by=replay.by,
        action=kind,
        target=replay.letter,
        details={"topic": replay.topic, "partition": replay.partition, "offset": replay.offset},
    )


def discarded(letter: DeadLetterId, discard: Discard) -> OperatorAction:
    """Return the deed of discarding a dead letter."""
    kind = ActionKind.DEAD_LETTER_DISCARDED
    return OperatorAction(
        id=action_id(kind, letter, format_timestamp(discard.at)),
        at=discard.at,
        by=discard.by,
        action=kind,
        target=letter,
        reason=discard.reason,
    )
