"""What ingest-api answers with."""

from typing import Literal

from pydantic import ConfigDict
from typing_extensions import TypedDict

from domain.status import Status
from httpkit.identifiers import EventIdText, Instant, TrackingNumberText

_CLOSED = ConfigDict(extra="forbid")


class Queued(TypedDict):
    """Something durably accepted, and not judged yet."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    event_id: EventIdText
    status: Literal["queued"]
    tracking_number: TrackingNumberText
    message: str


class QueuedItem(TypedDict):
    """One event of a batch."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    index: int
    event_id: EventIdText
    status: Literal["queued"]


class QueuedBatch(TypedDict):
    """A batch that was durably accepted."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    received: int
    queued: int
    message: str
    events: list[QueuedItem]


class Registered(TypedDict):
    """A shipment that exists now."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    tracking_number: TrackingNumberText
    status: Literal[Status.CREATED]
    created_at: Instant
    client_id: str
