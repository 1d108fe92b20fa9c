"""Dead letters: their ids, their index entries, and the actions that replay or discard them.

The id of a dead letter is its position in the dead-letter topic, so that it can be found by either.
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
    """The position of a record in a topic."""

    partition: int
    offset: int


class DeadLetterState(StrEnum):
    """The last thing that operators did about a dead letter."""

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
    """A dead letter that is in the log again.

    Attributes:
        at: when it was appended.
        topic, partition, offset: its new position.
    """

    dead_letter_id: DeadLetterId
    by: str
    at: datetime
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """An operator's decision that nobody needs a dead letter any more."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterEntry:
    """The index entry of a dead letter.

    Attributes:
        reason: `unreadable`, `unprocessable` or `quarantined`.
        error: the last error.
        topic, partition, offset, timestamp: of the original record.
        key: as text; what is no UTF-8 is replaced.
        event_id, tracking_number: None if it cannot be read.
        value_preview: the beginning of the value, as text; what is no UTF-8 is replaced.
        value_hex: the same bytes, two digits each.
        headers: some of its headers.
        replay_of: the dead letter that was replayed as this record; None if it was not a replay.
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
    value_hex: str = ""
    headers: Sequence[Header] = field(default_factory=list)
    replay_of: DeadLetterId | None = None


UNTOUCHED: Final[Mapping[str, Any]] = MappingProxyType(
    {"state": DeadLetterState.OPEN.value, "replays": 0, "last_replay": None, "discard": None}
)
"""The state fields beside a new `DeadLetterEntry`, before any operator action."""


def dead_letter_id(position: RecordPosition) -> DeadLetterId:
    """Return the id of the dead letter at a position of the dead-letter topic."""
    return DeadLetterId(f"dl_{position.partition}_{position.offset}")


def position_of(text: str) -> RecordPosition | None:
    """Return the position of the dead letter with this id; None if no dead letter can have it."""
    match = _FORM.fullmatch(text)
    return None if match is None else RecordPosition(int(match[1]), int(match[2]))


def last_replay(replay: Replay) -> dict[str, Any]:
    """Return the fields of the last replay, stored beside an entry."""
    return {
        "by": replay.by,
        "at": replay.at,
        "topic": replay.topic,
        "partition": replay.partition,
        "offset": replay.offset,
    }


def replayed(replay: Replay) -> OperatorAction:
    """Return the action of replaying a dead letter; the record's position and time identify it."""
    position = f"{replay.topic}/{replay.partition}/{replay.offset}"
    kind = ActionKind.DEAD_LETTER_REPLAYED
    return OperatorAction(
        id=action_id(kind, position, format_timestamp(replay.at)),
        at=replay.at,
        by=replay.by,
        action=kind,
        target=replay.dead_letter_id,
        details={"topic": replay.topic, "partition": replay.partition, "offset": replay.offset},
    )


def discarded(dead_letter_id: DeadLetterId, discard: Discard) -> OperatorAction:
    """Return the action of discarding a dead letter."""
    kind = ActionKind.DEAD_LETTER_DISCARDED
    return OperatorAction(
        id=action_id(kind, dead_letter_id, format_timestamp(discard.at)),
        at=discard.at,
        by=discard.by,
        action=kind,
        target=dead_letter_id,
        reason=discard.reason,
    )
