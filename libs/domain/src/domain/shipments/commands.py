"""Commands that the log carries, with who sent them and when. Shapes of their parts, as in the API.

The fields of an event are declared in `Observation`, those of a shipment in `Description`: the use cases, the
codec, the documents, the readers and the rebuild take them from there.
"""

from dataclasses import fields
from datetime import datetime
from typing import Any, Final, NotRequired, TypedDict

from domain.shipments.event_identity import EventId
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from domain.values import value


class Coordinates(TypedDict):
    """WGS 84, degrees."""

    lat: float
    lng: float


class Place(TypedDict):
    """Origin or destination of a shipment."""

    address: str
    coordinates: Coordinates


class Dimensions(TypedDict):
    """Outer size of a package, in centimetres."""

    length: float
    width: float
    height: float


class Package(TypedDict):
    """Contents of a shipment; the weight in kilograms."""

    weight_kg: float
    dimensions: NotRequired[Dimensions]
    content_description: NotRequired[str]


class DeliveryWindow(TypedDict):
    """Expected time of delivery, as texts of `format_timestamp`."""

    earliest: str
    latest: str


class PlaceChanges(TypedDict, total=False):
    """Fields to change in a place; fields that are missing stay as they are."""

    address: str
    coordinates: Coordinates


class DimensionChanges(TypedDict, total=False):
    """Dimensions to change, in centimetres; those that are missing stay as they are."""

    length: float
    width: float
    height: float


class PackageChanges(TypedDict, total=False):
    """Fields to change in a package; fields that are missing stay as they are."""

    weight_kg: float
    dimensions: DimensionChanges
    content_description: str


class ShipmentChanges(TypedDict, total=False):
    """Fields that an amendment may change in a shipment: those of `Description`.

    Merged field by field, as RFC 7396 says, down to each dimension; coordinates and the estimated delivery
    are replaced as a whole: half of a pair means nothing. No field can be removed. See
    `domain.shipments.amendment`.
    """

    origin: PlaceChanges
    destination: PlaceChanges
    package: PackageChanges
    reference: str
    estimated_delivery: DeliveryWindow


class Location(TypedDict):
    """Location of an event: WGS 84, degrees."""

    lat: float
    lng: float
    address: NotRequired[str]


@value(kw_only=True)
class Description:
    """Fields of a shipment that its creation sets and amendments change.

    Stored shipments and records of the log lack a new field, so it is optional: `str | None = None`.

    Attributes:
        reference: the client's own name for the shipment, such as an order number.
    """

    origin: Place
    destination: Place
    package: Package
    reference: str | None = None
    estimated_delivery: DeliveryWindow | None = None


@value(kw_only=True)
class Observation:
    """Fields of an event that its producer reports, besides status, time and source.

    Stored events and records of the log lack a new field, so it is optional: `str | None = None`. Each
    field is part of the fingerprint: another value is another payload of the same event.
    """

    location: Location | None = None
    notes: str | None = None
    signed_by: str | None = None


@value(kw_only=True)
class CreateShipment(Description):
    """Register a shipment.

    Attributes:
        timestamp: when the request was accepted; the shipment's `created_at`.
        request_key: digest of the user and the `Idempotency-Key`, None without one. It tells a client
            that reused its key (a conflict) from two clients whose numbers collide (try the next one).
    """

    event_id: EventId
    tracking_number: TrackingNumber
    client_id: str
    timestamp: datetime
    received_at: datetime
    submitted_by: str
    request_key: str | None = None


@value(kw_only=True)
class Report(Observation):
    """Report something about a shipment: a status or a checkpoint.

    Attributes:
        timestamp: when it happened, by the producer's clock.
        received_at: when it was accepted, by ours.
        source: the device or place that saw it.
        submitted_by: the user who sent it.
        on_behalf_of: the client whose shipment it must be, None where anybody's will do.
        expected_versions: versions of which the shipment must have one, None where any will do.
        utc_offset: of the local time that `timestamp` was sent in, such as `-06:00`; None: UTC. It says
            nothing of which event it is: the same instant in another zone is the same event.
    """

    event_id: EventId
    tracking_number: TrackingNumber
    timestamp: datetime
    source: str
    received_at: datetime
    submitted_by: str
    on_behalf_of: str | None = None
    expected_versions: tuple[int, ...] | None = None
    utc_offset: str | None = None


@value(kw_only=True)
class ReportStatus(Report):
    """Report that a shipment reached a status."""

    status: Status


@value(kw_only=True)
class ReportCheckpoint(Report):
    """Report a checkpoint of a shipment, by its code; the status stays."""

    checkpoint: str


@value(kw_only=True)
class AmendShipment:
    """Change the description of a shipment, not its status.

    Attributes:
        timestamp: when the request was accepted.
        on_behalf_of: the client whose shipment it must be, None where anybody's will do.
        expected_versions: versions of which the shipment must have one, None where any will do.
    """

    event_id: EventId
    tracking_number: TrackingNumber
    changes: ShipmentChanges
    timestamp: datetime
    received_at: datetime
    submitted_by: str
    on_behalf_of: str | None = None
    expected_versions: tuple[int, ...] | None = None


@value(kw_only=True)
class RetractEvent:
    """Take the last event of a shipment's history back, because it was wrong.

    Attributes:
        event_id: of the retraction; see `retraction_event_id`.
        retracts: the event to take back.
        reason: why, in words.
        timestamp: when the request was accepted.
        reported_by: the user who must have sent the event, a short time ago; None where anybody's will do.
    """

    event_id: EventId
    tracking_number: TrackingNumber
    retracts: EventId
    reason: str
    timestamp: datetime
    received_at: datetime
    submitted_by: str
    reported_by: str | None = None


Command = CreateShipment | ReportStatus | ReportCheckpoint | AmendShipment | RetractEvent


DESCRIBED: Final = tuple(each.name for each in fields(Description))
"""Fields of a shipment that its creation sets and amendments change."""

OBSERVED: Final = tuple(each.name for each in fields(Observation))
"""Fields of an event that its producer reports."""

PUBLISHED: Final = tuple(name for name in OBSERVED if name != "signed_by")
"""Those of `OBSERVED` that the change feed has too: who signed is nobody's but the caller's of the API."""


def put_given(target: dict[str, Any], command: Description | Observation, names: tuple[str, ...]) -> None:
    """Put those fields of a command that are given into `target`, by name.

    Args:
        target: to add to.
        command: to read.
        names: `DESCRIBED`, `OBSERVED` or `PUBLISHED`.
    """
    for name in names:
        given = getattr(command, name)
        if given is not None:
            target[name] = given
