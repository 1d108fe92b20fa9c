"""Models of the responses of query-api: the documents of the read ports, field by field."""

from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from domain.access.operator_actions import ActionKind, Detail
from domain.access.permissions import Role
from domain.processing.batch import Outcome
from domain.processing.dead_letter import DeadLetterState
from domain.shipments.status import Status
from domain.timestamps import UTC_OFFSET_PATTERN
from httpkit.openapi.identifiers import EventIdText, Instant, TrackingNumberText
from httpkit.openapi.pagination import CursorPagination, Pagination

_CLOSED = ConfigDict(extra="forbid")
UtcOffset = Annotated[
    str,
    Field(
        pattern=f"^{UTC_OFFSET_PATTERN}$",
        description="UTC offset that the timestamp was sent with; absent for UTC.",
        examples=["-06:00"],
    ),
]
_Count = Annotated[int, Field(ge=0)]


class Location(TypedDict):
    """Location of an event, in WGS 84."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    lat: float
    lng: float
    address: NotRequired[str]


class Coordinates(TypedDict):
    """Coordinates in WGS 84."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    lat: float
    lng: float


class Place(TypedDict):
    """Origin or destination of a shipment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    address: str
    coordinates: Coordinates


class Dimensions(TypedDict):
    """Dimensions of a package, in centimetres."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    length: float
    width: float
    height: float


class Package(TypedDict):
    """Contents, weight and dimensions of a shipment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    weight_kg: float
    dimensions: NotRequired[Dimensions]
    content_description: NotRequired[str]


class DeliveryWindow(TypedDict):
    """Expected time of delivery."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    earliest: Instant
    latest: Instant


class Observation(TypedDict):
    """Fields of an event that its producer reports; null, or absent, where it did not."""

    location: Location | None
    notes: str | None
    signed_by: NotRequired[str]


class HistoryEntry(Observation):
    """One applied change of a shipment; a checkpoint has the status that held."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    event_id: EventIdText
    status: Status
    checkpoint: NotRequired[str]
    timestamp: Instant
    utc_offset: NotRequired[UtcOffset]
    source: str
    recorded_at: Instant


class Description(TypedDict):
    """Fields of a shipment that its creation sets and amendments change."""

    origin: Place
    destination: Place
    package: Package
    reference: NotRequired[str]
    estimated_delivery: NotRequired[DeliveryWindow]


class LastCheckpoint(TypedDict):
    """The last checkpoint that a shipment passed in its present status."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    checkpoint: str
    timestamp: Instant
    location: Location | None


class Shipment(Description):
    """A shipment with its history: every status, and the last 100 checkpoints."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    tracking_number: TrackingNumberText
    client_id: str
    current_status: Status
    last_checkpoint: NotRequired[LastCheckpoint]
    status_history: list[HistoryEntry]
    version: int
    created_at: Instant
    updated_at: Instant


class PlaceChanges(TypedDict, total=False):
    """Changed fields of an origin or destination."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    address: str
    coordinates: Coordinates


class DimensionChanges(TypedDict, total=False):
    """Changed dimensions, in centimetres."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    length: float
    width: float
    height: float


class PackageChanges(TypedDict, total=False):
    """Changed fields of a package."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    weight_kg: float
    dimensions: DimensionChanges
    content_description: str


class Changes(TypedDict, total=False):
    """Changed fields of a shipment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    origin: PlaceChanges
    destination: PlaceChanges
    package: PackageChanges
    reference: str
    estimated_delivery: DeliveryWindow


class Retraction(TypedDict):
    """The event that a retraction takes back, and why."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    event_id: EventIdText
    reason: str


class OtherPayload(Observation):
    """A different payload sent with the same event id, which is not the recorded one.

    `reason` is IDEMPOTENCY_CONFLICT if another payload was applied (TRACKING_NUMBER_TAKEN for a creation by
    another request), otherwise the reason of its rejection. Shipment, timestamp and source are those of the
    event. For a creation by the same request it has the shipment that was to be created.
    """

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    status: Status | None
    checkpoint: NotRequired[str]
    changes: NotRequired[Changes]
    retraction: NotRequired[Retraction]
    origin: NotRequired[Place]
    destination: NotRequired[Place]
    package: NotRequired[Package]
    reference: NotRequired[str]
    estimated_delivery: NotRequired[DeliveryWindow]
    submitted_by: str
    received_at: Instant
    offset: int
    reason: str | None


class Event(Observation):
    """An event and its outcome.

    `reason` is an error code, or for a dead event the failure. An amendment has its changes in `changes`; its
    `status`, and that of a checkpoint, is the shipment's at that moment, null if the shipment does not exist
    or is not yours. An event that is rejected for INVALID_TRANSITION has the status that the shipment had,
    and what may follow that.

    If it came early, it is applied when it becomes legal, up to `held_until`. That is null once it is applied
    or cannot become legal any more, and absent if the event was never held.
    """

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    event_id: EventIdText
    tracking_number: TrackingNumberText
    client_id: str | None
    status: Status | None
    checkpoint: NotRequired[str]
    changes: NotRequired[Changes]
    retraction: NotRequired[Retraction]
    timestamp: Instant
    utc_offset: NotRequired[UtcOffset]
    source: str
    outcome: Outcome
    reason: str | None
    current_status: NotRequired[Status]
    may_follow: NotRequired[list[Status]]
    held_until: NotRequired[Instant | None]
    attempts: _Count
    duplicates: _Count
    conflicts: _Count
    other_payloads: NotRequired[list[OtherPayload]]
    partition: int
    offset: int
    received_at: Instant
    recorded_at: Instant
    submitted_by: str


class User(TypedDict):
    """A user account."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    username: str
    role: Role
    client_id: str | None
    disabled: bool
    allowed_sources: list[str]
    seeded: bool
    created_at: Instant
    updated_at: Instant


class Token(TypedDict):
    """A token and its lifetime in seconds."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    token: str
    expires_in: int
    token_type: Literal["Bearer"]


class ShipmentPage(TypedDict):
    """A page of shipments, newest first."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[Shipment]
    pagination: CursorPagination


class EventPage(TypedDict):
    """A page of a shipment's audit trail, oldest first."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[Event]
    pagination: CursorPagination


class Header(TypedDict):
    """A header of a record, as text."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    name: str
    value: str | None


class LastReplay(TypedDict):
    """The last replay of a dead letter: operator, time, and position in the log."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    by: str
    at: Instant
    topic: str
    partition: int
    offset: int


class Discard(TypedDict):
    """The discard of a dead letter: operator, time and reason."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    by: str
    at: Instant
    reason: str


class DeadLetter(TypedDict):
    """A record of the log that could not be applied, with its position and its last failure.

    `state` is the last action of an operator on it; the outcome of a replayed event is at its `event_id`.
    `replay_of` is the earlier dead letter of this record, if it failed again after a replay. `value_hex` has
    the bytes of `value_preview`; dead letters from before it was introduced lack it.
    """

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    id: str
    reason: str
    error: str
    attempts: _Count
    topic: str
    partition: int
    offset: int
    timestamp: Instant
    key: str | None
    event_id: str | None
    tracking_number: str | None
    recorded_at: Instant
    value_preview: str
    value_hex: NotRequired[str]
    headers: list[Header]
    replay_of: str | None
    state: DeadLetterState
    replays: _Count
    last_replay: LastReplay | None
    discard: Discard | None


class DeadLetterPage(TypedDict):
    """A page of dead letters, newest first."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[DeadLetter]
    pagination: CursorPagination


class OperatorAction(TypedDict):
    """A manual action of an operator.

    The target of a `dead_letter` is its id, of a `partition` its `topic/number`, of a `key` its text, of a
    `user` the user name. It never contains passwords or API keys.
    """

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    id: str
    at: Instant
    by: str
    action: ActionKind
    target: str
    reason: str | None
    details: dict[str, Detail]


class OperatorActionPage(TypedDict):
    """A page of actions, newest first."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[OperatorAction]
    pagination: CursorPagination


class UserPage(TypedDict):
    """A page of users, by name."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[User]
    pagination: Pagination
