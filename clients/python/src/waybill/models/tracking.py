"""Public view of shipments, and links that show more."""

from datetime import datetime

from waybill.models.base import Model, OrText
from waybill.models.common import Status


class PublicStep(Model):
    """A status that a shipment reached, or a checkpoint, with the status that held."""

    status: OrText[Status]
    timestamp: datetime
    checkpoint: str | None = None


class PublicShipment(Model):
    """A shipment as anybody with its number sees it."""

    tracking_number: str
    current_status: OrText[Status]
    steps: tuple[PublicStep, ...]
    updated_at: datetime


class ListedLink(Model):
    """A link without its token."""

    id: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None


class NewLink(Model):
    """A link with its address, which is shown once."""

    id: str
    url: str
    expires_at: datetime | None
