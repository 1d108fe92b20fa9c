"""What ingest-api answers with."""

from typing import Literal, NotRequired

from pydantic import ConfigDict
from typing_extensions import TypedDict

from domain.errors import ErrorCode
from domain.shipments.status import Status
from httpkit.openapi.identifiers import EventIdText, Instant, TrackingNumberText

_CLOSED = ConfigDict(extra="forbid")


class Queued(TypedDict):
    """Something durably accepted, and not judged yet."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    event_id: EventIdText
    status: Literal["queued"]
    tracking_number: TrackingNumberText
    message: str


class Applied(TypedDict):
    """An event that was waited for, and applied."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    event_id: EventIdText
    status: Literal["applied"]
    tracking_number: TrackingNumberText
    message: str


class QueuedItem(TypedDict):
    """One event of a batch."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    index: int
    event_id: EventIdText
    status: Literal["queued"]


class Fault(TypedDict):
    """One fault of an event."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    pointer: str
    message: str


class RejectedItem(TypedDict):
    """One event of a lenient batch that was not queued."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    index: int
    status: Literal["rejected"]
    error: ErrorCode
    details: list[Fault]


class QueuedBatch(TypedDict):
    """What of a batch was durably accepted: all, unless handled leniently."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    received: int
    queued: int
    message: str
    events: list[QueuedItem | RejectedItem]
    rejected: NotRequired[int]


class Registered(TypedDict):
    """A shipment that exists now."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    tracking_number: TrackingNumberText
    status: Literal[Status.CREATED]
    created_at: Instant
    client_id: str


class Changed(TypedDict):
    """A shipment after a change that was waited for."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    tracking_number: TrackingNumberText
    status: Status
    version: int
    event_id: EventIdText


class Replayed(TypedDict):
    """A dead letter that is in the log again."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    id: str
    status: Literal["queued"]
    event_id: NotRequired[EventIdText]


class NotFoundDeadLetter(TypedDict):
    """A dead letter that is not there, or not any more."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    id: str
    status: Literal["not_found"]


class NotReplayed(TypedDict):
    """A dead letter that may not be in the log again."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    id: str
    status: Literal["error"]
    message: str


class ReplayedBatch(TypedDict):
    """Which dead letters are in the log again."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    received: int
    queued: int
    items: list[Replayed | NotFoundDeadLetter | NotReplayed]
