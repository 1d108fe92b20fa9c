"""What may be asked of the read side: whose documents, which of them, and which part of a list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.access.operator_actions import ActionKind
from domain.access.permissions import Principal, Role, client_reach
from domain.processing.batch import Outcome
from domain.processing.dead_letter import DeadLetterState
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose documents somebody may see, as part of the query itself; None does not limit.

    Attributes:
        client_id: only what belongs to this client.
        submitted_by: only what this user has sent.
    """

    client_id: str | None = None
    submitted_by: str | None = None


EVERYTHING: Final = Scope()


def scope_of(principal: Principal) -> Scope:
    """Return what somebody may see: an admin all, a client its own, anybody else what they have sent."""
    reach = client_reach(principal)
    if reach is None:
        return EVERYTHING
    if principal.role is Role.CLIENT:
        return Scope(client_id=reach)
    return Scope(submitted_by=principal.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A span of time: `start` is inside, `end` is not; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, instant: datetime) -> bool:
        """Say whether `instant` lies in the span."""
        return (self.start is None or self.start <= instant) and (self.end is None or instant < self.end)


EVER: Final = Period()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentFilter:
    """Which shipments to list; None, no statuses and `EVER` do not filter.

    Attributes:
        statuses: any of these.
        prefix: how the tracking number begins; without `client_id`, the list is in the order of numbers.
    """

    client_id: str | None = None
    statuses: tuple[Status, ...] = ()
    prefix: str | None = None
    created: Period = EVER
    updated: Period = EVER


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events of a shipment to list, oldest first; None and `EVER` do not filter.

    Attributes:
        client_id: only events of this client, and those that came before the shipment and so are nobody's.
        conflicting: only events under whose id several payloads were sent, of which one at most stands.
        period: when the event happened.
    """

    tracking_number: TrackingNumber
    client_id: str | None = None
    outcome: Outcome | None = None
    conflicting: bool = False
    status: Status | None = None
    source: str | None = None
    period: Period = EVER


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterFilter:
    """Which dead letters to list, newest first; None and `EVER` do not filter."""

    state: DeadLetterState | None = None
    reason: str | None = None
    tracking_number: str | None = None
    recorded: Period = EVER


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFilter:
    """Which actions of operators to list, newest first; None and `EVER` do not filter."""

    action: ActionKind | None = None
    target: str | None = None
    by: str | None = None
    done: Period = EVER


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a list that is ordered by time and, within one instant, by id."""

    instant: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of a list: `limit` entries behind `after`, wherever that is now, and `offset` more."""

    limit: int
    offset: int = 0
    after: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list.

    Attributes:
        total: how many entries match in all.
        last: the position of the last entry shown, if there are more behind it; None on the last page.
    """

    data: list[dict[str, Any]]
    total: int
    last: Position | None = None
