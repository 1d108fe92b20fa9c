"""State of the demo's events and shipments at one moment, and the differences between two."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.processing.batch import Outcome
from domain.shipments.event_identity import EventId
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber


@dataclass(frozen=True, slots=True)
class EventState:
    """Outcome of an event, and how each of its deliveries was counted."""

    outcome: str
    reason: str | None
    attempts: int
    duplicates: int
    conflicts: int

    @property
    def deliveries(self) -> int:
        """Number of processed deliveries of this event: each counts as exactly one kind."""
        return self.attempts + self.duplicates + self.conflicts


@dataclass(frozen=True, slots=True)
class ShipmentState:
    """State of a shipment."""

    status: str
    version: int


JUST_CREATED: Final = ShipmentState(Status.CREATED, 1)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The events that have an outcome and the shipments that exist."""

    events: Mapping[EventId, EventState]
    shipments: Mapping[TrackingNumber, ShipmentState]


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Counts of the deliveries of one run; each is counted once, so they sum to what was sent.

    Attributes:
        applied: changed their shipment.
        rejected: by reason; one that is sent again is judged again.
        duplicates: repeat an applied event.
        conflicts: have the id of another event; the first stands.
        other: anything else, dead events among them; a healthy stack has none.
    """

    applied: int
    rejected: Mapping[str, int]
    duplicates: int
    conflicts: int
    other: int = 0

    @property
    def total(self) -> int:
        """Number of processed deliveries."""
        return self.applied + sum(self.rejected.values()) + self.duplicates + self.conflicts + self.other


@dataclass(frozen=True, slots=True)
class Standing:
    """Totals of the ledger: outcomes of events, statuses of shipments."""

    events: int
    applied: int
    rejected: Mapping[str, int]
    shipments: Mapping[str, int]


def deliveries_between(before: Ledger, after: Ledger) -> Deliveries:
    """Count the deliveries between two moments."""
    applied = duplicates = conflicts = other = 0
    rejected: Counter[str] = Counter()
    for event_id, state in after.events.items():
        earlier = before.events.get(event_id)
        judged = state.attempts - (earlier.attempts if earlier else 0)
        duplicates += state.duplicates - (earlier.duplicates if earlier else 0)
        conflicts += state.conflicts - (earlier.conflicts if earlier else 0)
        if state.outcome == Outcome.APPLIED:
            applied += judged
        elif state.outcome == Outcome.REJECTED and state.reason is not None:
            rejected[state.reason] += judged
        else:
            other += judged
    return Deliveries(applied, _by_reason(rejected), duplicates, conflicts, other)


def standing(ledger: Ledger) -> Standing:
    """Count events by outcome and shipments by status."""
    rejected = Counter(
        state.reason or "" for state in ledger.events.values() if state.outcome == Outcome.REJECTED
    )
    statuses = Counter(state.status for state in ledger.shipments.values())
    return Standing(
        len(ledger.events),
        sum(state.outcome == Outcome.APPLIED for state in ledger.events.values()),
        _by_reason(rejected),
        {status: statuses[status] for status in [*Status, *sorted(statuses.keys() - set(Status))]},
    )


def _by_reason(counts: Mapping[str, int]) -> dict[str, int]:
    usual = (RejectionReason.INVALID_TRANSITION, RejectionReason.SHIPMENT_NOT_FOUND)
    return dict.fromkeys(map(str, usual), 0) | dict(sorted(counts.items()))
