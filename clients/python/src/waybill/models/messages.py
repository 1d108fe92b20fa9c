"""Messages of webhooks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from waybill.models.base import Model, OrText
from waybill.models.common import Location, Status


class MessageEvent(Model):
    """The event behind a change.

    Attributes:
        status: that the event reached, or that held.
        checkpoint: in messages of the type `shipment.checkpoint`.
        changes: the changed fields, nested as in `Shipment`, in those of the type `shipment.amended`.
        retracts: id of the event that was taken back, in those of the type `shipment.corrected`.
        reason: of taking it back.
    """

    event_id: str
    status: OrText[Status]
    timestamp: datetime
    source: str
    location: Location | None
    notes: str | None
    checkpoint: str | None = None
    changes: Mapping[str, Any] | None = None
    retracts: str | None = None
    reason: str | None = None


class MessageData(Model):
    """The change; a `thin` endpoint gets the tracking number and the version alone."""

    tracking_number: str
    version: int
    client_id: str | None = None
    current_status: OrText[Status] | None = None
    previous_status: OrText[Status] | None = None
    event: MessageEvent | None = None


class WebhookMessage(Model):
    """A message of a webhook whose signature is valid.

    Attributes:
        id: `webhook-id`: the same for every attempt and replay; ignore one that you have seen.
        type: such as `shipment.delivered`.
        data: `version` orders the changes of a shipment.
    """

    id: str
    type: str
    timestamp: datetime
    data: MessageData
