"""Records that could not be applied, and their replay."""

from datetime import datetime
from enum import StrEnum

from waybill.models.base import Model, OrText


class DeadLetterState(StrEnum):
    """The last thing that operators did about a dead letter."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class RecordHeader(Model):
    """A header of a record, as text."""

    name: str
    value: str | None


class LastReplay(Model):
    """The last replay of a dead letter: operator, time, and position in the log."""

    by: str
    at: datetime
    topic: str
    partition: int
    offset: int


class Discard(Model):
    """The discard of a dead letter: operator, time and reason."""

    by: str
    at: datetime
    reason: str


class DeadLetter(Model):
    """A record of the log that could not be applied, with its position and its last failure."""

    id: str
    reason: str
    error: str
    attempts: int
    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: str | None
    event_id: str | None
    tracking_number: str | None
    recorded_at: datetime
    value_preview: str
    headers: tuple[RecordHeader, ...]
    replay_of: str | None
    state: OrText[DeadLetterState]
    replays: int
    last_replay: LastReplay | None
    discard: Discard | None
    value_hex: str | None = None


class Replayed(Model):
    """Result of one replay.

    Attributes:
        status: `queued`; of several also `not_found`, or `error`: not replayed, or the result is unknown.
        message: says why, with the status `error`.
    """

    id: str
    status: str
    event_id: str | None = None
    message: str | None = None


class ReplayedBatch(Model):
    """Results of a replay of several dead letters."""

    received: int
    queued: int
    items: tuple[Replayed, ...]
