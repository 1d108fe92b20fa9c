"""Halted partitions: why they halt, how they resume, and the checkpoint for the next owner (ADR 0009)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.access.operator_actions import ActionKind, OperatorAction, action_id
from domain.shipments.tracking_number import TrackingNumber
from domain.timestamps import format_timestamp

QUARANTINED: Final = "quarantined"
"""The reason of a dead letter, and of the outcome `dead`, of a quarantined shipment."""

STALLED_OPENS: Final = 2
"""Takeovers in a row without progress before records are handled in isolation."""


class Start(StrEnum):
    """The position to resume from: after what is done, the log's beginning, or after what halted it."""

    COMMITTED = "committed"
    EARLIEST = "earliest"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Halt:
    """A halt of a partition; no two halts of one partition begin at the same instant.

    Attributes:
        problem: why it halted.
        since: when it halted.
        is_gap: records are gone that were never read, or that were applied (`has_lost_tail`).
        skip_to: the offset after the one record, or the one batch, that halted it, or the end of a log that
            has lost its tail; None: nothing to skip.
    """

    problem: str
    since: datetime
    is_gap: bool = False
    skip_to: int | None = None

    @property
    def has_lost_tail(self) -> bool:
        """True if the log ends before the last applied record."""
        return self.is_gap and self.skip_to is not None

    @property
    def starts(self) -> tuple[Start, ...]:
        """The positions from which the partition can resume, the usual one first."""
        if self.is_gap:
            return (Start.NEXT, Start.EARLIEST) if self.has_lost_tail else (Start.EARLIEST,)
        return (Start.COMMITTED,) if self.skip_to is None else (Start.COMMITTED, Start.NEXT)


def accepted(halt: Halt | None, next_offset: int, lost_below: int | None) -> int:
    """Return the offset up to which a partition counts as applied when it resumes from `lost_below`.

    Records that the log has lost at its beginning are skipped. Those lost at its end were applied, but other
    records will have their offsets.
    """
    if lost_below is None:
        return next_offset
    return (min if halt is not None and halt.has_lost_tail else max)(next_offset, lost_below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """An operator's request to resume a partition.

    Attributes:
        halted_since: identifies the halt; the request ends no other one.
    """

    halted_since: datetime
    start: Start
    reason: str
    requested_by: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """The record being handled, and how many processes have handled it, this one included."""

    offset: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionCheckpoint:
    """The state that a new owner starts from.

    Attributes:
        halt: set while the partition is halted, for every owner.
        stalled_opens: previous owners, in a row, that found records and made no progress.
        attempt: the record that the last owner was handling when it ended, if the outcome is unknown.
        next_offset: one above the highest applied offset.
        end_offset: where the log ended when the partition was taken over.
        has_ended: the partition is applied up to its end marker, after which nothing may come.
    """

    halt: Halt | None = None
    stalled_opens: int = 0
    attempt: Attempt | None = None
    next_offset: int = 0
    end_offset: int = 0
    has_ended: bool = False


EMPTY_CHECKPOINT: Final = PartitionCheckpoint()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionView:
    """The state of a partition, as operators see it.

    Attributes:
        has_ended: the log goes on in another topic, and everything in this partition is applied.
    """

    topic: str
    number: int
    owner: str
    epoch: int
    next_offset: int
    halt: Halt | None
    resumption: Resumption | None
    has_ended: bool = False

    @property
    def name(self) -> str:
        """The partition, `topic/number`."""
        return f"{self.topic}/{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A quarantined shipment, with who requested it and why."""

    tracking_number: TrackingNumber
    reason: str
    since: datetime
    requested_by: str


class QuarantinePut(StrEnum):
    """The result of quarantining a shipment.

    `FULL`: the limit is reached. `UNMET`: it is, or is not, quarantined already, against the condition.
    """

    DONE = "done"
    FULL = "full"
    UNMET = "unmet"


def resumed(partition: str, resumption: Resumption) -> OperatorAction:
    """Return the action of resuming a partition, `topic/number`."""
    kind = ActionKind.PARTITION_RESUMED
    halted_since = format_timestamp(resumption.halted_since)
    return OperatorAction(
        id=action_id(kind, partition, halted_since, format_timestamp(resumption.requested_at)),
        at=resumption.requested_at,
        by=resumption.requested_by,
        action=kind,
        target=partition,
        reason=resumption.reason,
        details={"from": resumption.start.value, "halted_since": halted_since},
    )


def quarantined(entry: Quarantined) -> OperatorAction:
    """Return the action of quarantining a shipment."""
    kind = ActionKind.KEY_QUARANTINED
    return OperatorAction(
        id=action_id(kind, entry.tracking_number, format_timestamp(entry.since)),
        at=entry.since,
        by=entry.requested_by,
        action=kind,
        target=entry.tracking_number,
        reason=entry.reason,
    )


def released(tracking_number: TrackingNumber, *, by: str, at: datetime) -> OperatorAction:
    """Return the action of releasing a shipment from quarantine."""
    kind = ActionKind.KEY_RELEASED
    return OperatorAction(
        id=action_id(kind, tracking_number, format_timestamp(at)),
        at=at,
        by=by,
        action=kind,
        target=tracking_number,
    )
