"""The line: when a partition stands still, how it goes on, and what its last owner left behind (ADR 0009)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.access.operator_actions import ActionKind, OperatorAction, action_id
from domain.shipments.tracking_number import TrackingNumber
from domain.timestamps import format_timestamp

QUARANTINED: Final = "quarantined"
"""The reason of a dead letter, and of the outcome `dead`, of a shipment that an operator has set aside."""

STALLED_OPENS: Final = 2
"""So often in a row a partition is taken over again without progress before it is worked carefully."""


class Start(StrEnum):
    """From where a partition goes on: behind what is done, the log's beginning, or behind what stopped it."""

    COMMITTED = "committed"
    EARLIEST = "earliest"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Halt:
    """Why a partition stands still, and since when; no two halts of one partition begin at once.

    Attributes:
        is_gap: records are gone that nobody has read, or that were applied (`has_lost_tail`).
        skip_to: the offset behind the one record, or the one batch, that stopped it, or where a log that has
            lost its tail ends; None: nothing to skip.
    """

    problem: str
    since: datetime
    is_gap: bool = False
    skip_to: int | None = None

    @property
    def has_lost_tail(self) -> bool:
        """Whether the log ends before what was applied of it."""
        return self.is_gap and self.skip_to is not None

    @property
    def starts(self) -> tuple[Start, ...]:
        """From where the partition can go on, the usual place first."""
        if self.is_gap:
            return (Start.NEXT, Start.EARLIEST) if self.has_lost_tail else (Start.EARLIEST,)
        return (Start.COMMITTED,) if self.skip_to is None else (Start.COMMITTED, Start.NEXT)


def accepted(halt: Halt | None, next_offset: int, lost_below: int | None) -> int:
    """Return up to which offset a partition counts as applied that goes on from `lost_below` after a halt.

    What the log has lost at its beginning is passed over. What it has lost at its end was applied, but other
    records will have those offsets.
    """
    if lost_below is None:
        return next_offset
    return (min if halt is not None and halt.has_lost_tail else max)(next_offset, lost_below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """An operator's word that a partition is to go on.

    Attributes:
        halted_since: which halt is meant; no other one ends by it.
    """

    halted_since: datetime
    start: Start
    reason: str
    requested_by: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """The record that is in hand, and how many processes have had it in hand, this one included."""

    offset: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionCheckpoint:
    """What a new owner finds.

    Attributes:
        halt: the partition stands still, whoever owns it.
        stalled_opens: owners before this one, in a row, that found records and got nowhere.
        attempt: what the last owner had in hand when it ended, if it could not say how that went.
        next_offset: one above the highest offset that they have committed.
        end_offset: where the log ended when the partition was taken over.
    """

    halt: Halt | None = None
    stalled_opens: int = 0
    attempt: Attempt | None = None
    next_offset: int = 0
    end_offset: int = 0


EMPTY_CHECKPOINT: Final = PartitionCheckpoint()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionView:
    """What is known of a partition."""

    number: int
    owner: str
    epoch: int
    next_offset: int
    halt: Halt | None
    resumption: Resumption | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A shipment whose records are set aside, by whom and why."""

    tracking_number: TrackingNumber
    reason: str
    since: datetime
    requested_by: str


class QuarantinePut(StrEnum):
    """What came of setting a shipment aside.

    `FULL`: as many others are as may be. `UNMET`: it is, or is not, set aside already, against the condition.
    """

    DONE = "done"
    FULL = "full"
    UNMET = "unmet"


def resumed(partition: str, resumption: Resumption) -> OperatorAction:
    """Return the deed of saying that a partition, `topic/number`, is to go on."""
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


def set_aside(entry: Quarantined) -> OperatorAction:
    """Return the deed of setting a shipment aside."""
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
    """Return the deed of ending that."""
    kind = ActionKind.KEY_RELEASED
    return OperatorAction(
        id=action_id(kind, tracking_number, format_timestamp(at)),
        at=at,
        by=by,
        action=kind,
        target=tracking_number,
    )
