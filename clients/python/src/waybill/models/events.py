"""Events of shipments, and the answers to reporting them."""

from datetime import datetime
from enum import StrEnum

from waybill.models.base import Model, OrText
from waybill.models.common import Coordinates, DeliveryWindow, Location, Place, Problem, Status
from waybill.models.shipments import Package


class Outcome(StrEnum):
    """The outcome of an accepted event."""

    APPLIED = "applied"
    REJECTED = "rejected"
    DEAD = "dead"


class Applied(Model):
    """An event that was applied within the requested wait."""

    event_id: str
    status: str
    tracking_number: str
    message: str


class QueuedItem(Model):
    """One queued event of a batch."""

    index: int
    event_id: str
    status: str


class RejectedItem(Model):
    """One rejected event of a lenient batch."""

    index: int
    status: str
    error: str
    details: tuple[Problem, ...]


class QueuedBatch(Model):
    """Result of a batch: all events are queued, unless it was handled leniently."""

    received: int
    queued: int
    message: str
    events: tuple[QueuedItem | RejectedItem, ...]
    rejected: int | None = None


class Retraction(Model):
    """The event that a retraction takes back, and why."""

    event_id: str
    reason: str


class DimensionChanges(Model):
    """Changed dimensions, in centimetres."""

    length: float | None = None
    width: float | None = None
    height: float | None = None


class PackageChanges(Model):
    """Changed fields of a package."""

    weight_kg: float | None = None
    dimensions: DimensionChanges | None = None
    content_description: str | None = None


class PlaceChanges(Model):
    """Changed fields of an origin or destination."""

    address: str | None = None
    coordinates: Coordinates | None = None


class Changes(Model):
    """Changed fields of a shipment."""

    origin: PlaceChanges | None = None
    destination: PlaceChanges | None = None
    package: PackageChanges | None = None
    reference: str | None = None
    estimated_delivery: DeliveryWindow | None = None


class OtherPayload(Model):
    """A different payload sent with the same event id, which is not the recorded one."""

    location: Location | None
    notes: str | None
    status: OrText[Status] | None
    submitted_by: str
    received_at: datetime
    offset: int
    reason: str | None
    signed_by: str | None = None
    checkpoint: str | None = None
    changes: Changes | None = None
    retraction: Retraction | None = None
    origin: Place | None = None
    destination: Place | None = None
    package: Package | None = None
    reference: str | None = None
    estimated_delivery: DeliveryWindow | None = None


class Event(Model):
    """An event and its outcome."""

    location: Location | None
    notes: str | None
    event_id: str
    tracking_number: str
    client_id: str | None
    status: OrText[Status] | None
    timestamp: datetime
    source: str
    outcome: OrText[Outcome]
    reason: str | None
    attempts: int
    duplicates: int
    conflicts: int
    partition: int
    offset: int
    received_at: datetime
    recorded_at: datetime
    submitted_by: str
    signed_by: str | None = None
    checkpoint: str | None = None
    changes: Changes | None = None
    retraction: Retraction | None = None
    utc_offset: str | None = None
    current_status: OrText[Status] | None = None
    may_follow: tuple[OrText[Status], ...] | None = None
    held_until: datetime | None = None
    other_payloads: tuple[OtherPayload, ...] | None = None
