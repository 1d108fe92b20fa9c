"""Shipments, and the answers to creating, amending and cancelling them."""

from datetime import datetime

from waybill.models.base import Model, OrText
from waybill.models.common import DeliveryWindow, Location, Place, Status


class Dimensions(Model):
    """Dimensions of a package, in centimetres."""

    length: float
    width: float
    height: float


class Package(Model):
    """Contents, weight and dimensions of a shipment."""

    weight_kg: float
    dimensions: Dimensions | None = None
    content_description: str | None = None


class LastCheckpoint(Model):
    """The last checkpoint that a shipment passed in its present status."""

    checkpoint: str
    timestamp: datetime
    location: Location | None


class HistoryEntry(Model):
    """One applied change of a shipment; a checkpoint has the status that held."""

    location: Location | None
    notes: str | None
    event_id: str
    status: OrText[Status]
    timestamp: datetime
    source: str
    recorded_at: datetime
    signed_by: str | None = None
    checkpoint: str | None = None
    utc_offset: str | None = None


class Shipment(Model):
    """A shipment with its history: every status, and the last 100 checkpoints."""

    origin: Place
    destination: Place
    package: Package
    tracking_number: str
    client_id: str
    current_status: OrText[Status]
    status_history: tuple[HistoryEntry, ...]
    version: int
    created_at: datetime
    updated_at: datetime
    reference: str | None = None
    estimated_delivery: DeliveryWindow | None = None
    last_checkpoint: LastCheckpoint | None = None


class Registered(Model):
    """A registered shipment."""

    tracking_number: str
    status: str
    created_at: datetime
    client_id: str


class Changed(Model):
    """A shipment after an applied change."""

    tracking_number: str
    status: OrText[Status]
    version: int
    event_id: str


class Queued(Model):
    """A request that is durably accepted, but not processed yet."""

    event_id: str
    status: str
    tracking_number: str
    message: str


class LiveStatus(Model):
    """Status of a shipment, as its stream has it."""

    version: int
    current_status: OrText[Status]
