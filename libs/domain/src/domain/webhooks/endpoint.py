"""Endpoints: addresses of clients that are told of changes, and the types of changes that each wants."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.values import value
from domain.webhooks.message import MESSAGE_TYPES

ALL_TYPES: Final = ("shipment.*",)
"""Types of an endpoint that names none."""

_REST: Final = "*"


class EndpointState(StrEnum):
    """Whether deliveries are sent."""

    ACTIVE = "active"
    PAUSED = "paused"


class PauseReason(StrEnum):
    """Reason for which an endpoint is paused."""

    MANUAL = "manual"
    GONE = "gone"
    FAILING = "failing"


class Payload(StrEnum):
    """Extent of a message's data: all of the change, or the number and the version of the shipment alone."""

    FULL = "full"
    THIN = "thin"


class Ordering(StrEnum):
    """Order of an endpoint's deliveries: none, or a shipment's one after the other."""

    NONE = "none"
    PER_SHIPMENT = "per_shipment"


@value(kw_only=True)
class Endpoint:
    """An endpoint.

    Attributes:
        endpoint_id: `wh_…`.
        client_id: whose changes it is told of; None: those of every client.
        types: types of messages that it wants; `*` at the end of one stands for any rest.
        rate_per_s: most attempts per second, None for no such bound.
        paused_reason: None while it is active.
        failing_since: the first failure since the last success; None if there was none.
        created_by: the user who made it.
    """

    endpoint_id: str
    client_id: str | None
    url: str
    types: tuple[str, ...]
    payload: Payload
    ordering: Ordering
    rate_per_s: float | None
    description: str | None
    state: EndpointState
    paused_reason: PauseReason | None
    paused_at: datetime | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    failing_since: datetime | None = None


def matches(pattern: str, type_: str) -> bool:
    """Say whether a type is `pattern`, or begins with what stands before its `*`."""
    if pattern.endswith(_REST):
        return type_.startswith(pattern.removesuffix(_REST))
    return type_ == pattern


def types_wanted(patterns: Iterable[str]) -> frozenset[str]:
    """Return the types of messages that one of the patterns matches."""
    return frozenset(type_ for pattern in patterns for type_ in MESSAGE_TYPES if matches(pattern, type_))


def can_match(pattern: str) -> bool:
    """Say whether there is a type that `pattern` matches; one that matches none is a mistake."""
    return any(matches(pattern, type_) for type_ in MESSAGE_TYPES)
