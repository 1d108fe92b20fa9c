"""Shipment statuses and the table of their transitions (ADR 0004)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Status(StrEnum):
    """The status of a shipment."""

    CREATED = "created"
    PICKED_UP = "picked_up"
    IN_WAREHOUSE = "in_warehouse"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = MappingProxyType(
    {
        Status.CREATED: frozenset({Status.PICKED_UP, Status.CANCELLED}),
        Status.PICKED_UP: frozenset({Status.IN_WAREHOUSE, Status.CANCELLED}),
        Status.IN_WAREHOUSE: frozenset({Status.IN_TRANSIT, Status.CANCELLED}),
        Status.IN_TRANSIT: frozenset({Status.DELIVERED}),
        Status.DELIVERED: frozenset(),
        Status.CANCELLED: frozenset(),
    }
)

REPORTABLE: Final = tuple(status for status in Status if status is not Status.CREATED)
"""Statuses an event may carry: a shipment becomes `created` by its creation alone."""


def can_follow(current: Status, following: Status) -> bool:
    """Say whether a shipment may go from `current` to `following` in one step."""
    return following in TRANSITIONS[current]


def following(current: Status) -> tuple[Status, ...]:
    """Return the statuses that may follow `current`, in the order of their declaration."""
    return tuple(status for status in Status if status in TRANSITIONS[current])


def predecessor(status: Status) -> Status | None:
    """Return the one status that `status` can follow; None if there is none, or there are several."""
    return _PREDECESSORS[status]


def can_reach(current: Status, target: Status) -> bool:
    """Say whether a shipment may get from `current` to `target`, in one step or in several."""
    return target in _REACHABLE[current]


def takes_checkpoints(current: Status) -> bool:
    """Say whether a shipment is under way: it has been picked up, and something may still follow."""
    return current is not Status.CREATED and not is_terminal(current)


def is_terminal(status: Status) -> bool:
    """Say whether nothing can follow `status`."""
    return not TRANSITIONS[status]


def _reachable(status: Status) -> frozenset[Status]:
    following = TRANSITIONS[status]
    return following.union(*(_reachable(each) for each in following))


def _only_predecessor(status: Status) -> Status | None:
    before = [each for each in Status if can_follow(each, status)]
    return before[0] if len(before) == 1 else None


_PREDECESSORS: Final[Mapping[Status, Status | None]] = MappingProxyType(
    {status: _only_predecessor(status) for status in Status}
)
_REACHABLE: Final[Mapping[Status, frozenset[Status]]] = MappingProxyType(
    {status: _reachable(status) for status in Status}
)
