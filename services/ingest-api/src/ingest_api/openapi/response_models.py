"""Models of the responses of ingest-api."""

from typing import Literal, NotRequired

from pydantic import ConfigDict
from typing_extensions import TypedDict

from domain.shipments.status import Status
from httpkit.openapi.identifiers import EventIdText, Instant, TrackingNumberText
from httpkit.response.error_codes import ErrorCode

_CLOSED = ConfigDict(extra="forbid")


class Queued(TypedDict):
    """A request that is durably accepted, but not processed yet."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    event_id: EventIdText
    status: Literal["queued"]
    tracking_number: TrackingNumberText
    message: str


class Applied(TypedDict):
    """An event that was applied within the requested wait."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    event_id: EventIdText
    status: Literal["applied"]
    tracking_number: TrackingNumberText
    message: str


class QueuedItem(TypedDict):
    """One queued event of a batch."""

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
    """One rejected event of a lenient batch."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    index: int
    status: Literal["rejected"]
    error: ErrorCode
    details: list[Fault]


class QueuedBatch(TypedDict):
    """Result of a batch: all events are queued, unless it was handled leniently."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    received: int
    queued: int
    message: str
    events: list[QueuedItem | RejectedItem]
    rejected: NotRequired[int]


class Registered(TypedDict):
    """A registered shipment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    tracking_number: TrackingNumberText
    status: Literal[Status.CREATED]
    created_at: Instant
    client_id: str


class Changed(TypedDict):
    """A shipment after an applied change."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    tracking_number: TrackingNumberText
    status: Status
    version: int
    event_id: EventIdText


class Replayed(TypedDict):
    """A dead letter that was put back into the log."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    id: str
    status: Literal["queued"]
    event_id: NotRequired[EventIdText]


class NotFoundDeadLetter(TypedDict):
    """A dead letter that does not exist, or no longer."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    id: str
    status: Literal["not_found"]


class NotReplayed(TypedDict):
    """A dead letter that could not be put back into the log, or whose result is unknown."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    id: str
    status: Literal["error"]
    message: str


class ReplayedBatch(TypedDict):
    """Results of a replay of several dead letters."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    received: int
    queued: int
    items: list[Replayed | NotFoundDeadLetter | NotReplayed]
