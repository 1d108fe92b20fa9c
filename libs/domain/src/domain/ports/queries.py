"""Queries of the read side: scopes, filters and windows."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from domain.access.operator_actions import ActionKind
from domain.access.permissions import Principal, Role, client_reach
from domain.processing.batch import Outcome
from domain.processing.dead_letter import DeadLetterState
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The documents that a caller may see, as part of the query itself; None does not limit.

    Attributes:
        client_id: only what belongs to this client.
        submitted_by: only what this user has sent.
    """

    client_id: str | None = None
    submitted_by: str | None = None


EVERYTHING: Final = Scope()


def scope_of(principal: Principal) -> Scope:
    """Return the scope of a caller: an admin sees all, a client its own, others what they have sent."""
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
    """Filter of shipments; None, no statuses and `EVER` do not filter.

    Attributes:
        statuses: any of these.
        prefix: how the tracking number begins; without `client_id`, the list is in the order of numbers,
            unless a reference is named too.
        reference: the whole of it.
    """

    client_id: str | None = None
    statuses: tuple[Status, ...] = ()
    prefix: str | None = None
    created: Period = EVER
    updated: Period = EVER
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Filter of the events of a shipment, oldest first; None and `EVER` do not filter.

    Attributes:
        client_id: only events of this client, and those without a client, from before the creation.
        conflicting: only events whose id was sent with several payloads, of which at most one is applied.
        status: only events that report it: no amendments, checkpoints and retractions.
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
    """Filter of dead letters, newest first; None and `EVER` do not filter."""

    state: DeadLetterState | None = None
    reason: str | None = None
    tracking_number: str | None = None
    recorded: Period = EVER


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFilter:
    """Filter of operator actions, newest first; None and `EVER` do not filter."""

    action: ActionKind | None = None
    target: str | None = None
    by: str | None = None
    done: Period = EVER


def filter_key(matching: "DataclassInstance") -> str:
    """Return a text of a filter: another one for each, and the same when a release adds a field."""
    values = {each.name: (getattr(matching, each.name), each.default) for each in fields(matching)}
    given = {name: value for name, (value, default) in values.items() if value != default}
    return f"{type(matching).__name__}{given}"


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
