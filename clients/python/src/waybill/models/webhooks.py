"""Endpoints of webhooks, their deliveries and replays."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from waybill.models.base import Model, OrText


class EndpointState(StrEnum):
    """Whether deliveries are sent."""

    ACTIVE = "active"
    PAUSED = "paused"


class DeliveryState(StrEnum):
    """State of a delivery; a held one fell due while its endpoint was paused, and is sent by a replay."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    HELD = "held"


class ReplayState(StrEnum):
    """State of a replay."""

    RUNNING = "running"
    DONE = "done"


class Payload(StrEnum):
    """Extent of a message's data: all of the change, or the number and the version of the shipment alone."""

    FULL = "full"
    THIN = "thin"


class Ordering(StrEnum):
    """Order of an endpoint's deliveries: none, or a shipment's one after the other."""

    NONE = "none"
    PER_SHIPMENT = "per_shipment"


class PauseReason(StrEnum):
    """Reason for which an endpoint is paused."""

    MANUAL = "manual"
    GONE = "gone"
    FAILING = "failing"


class AttemptError(StrEnum):
    """Reason for which an attempt does not count as a delivery."""

    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    NAME_NOT_RESOLVED = "name_not_resolved"
    NOT_CONNECTED = "not_connected"
    TLS_FAILED = "tls_failed"
    CONNECTION_LOST = "connection_lost"
    TIMED_OUT = "timed_out"
    INVALID_RESPONSE = "invalid_response"
    STATUS = "status"
    MESSAGE_EXPIRED = "message_expired"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a name


class Webhook(Model):
    """An endpoint: a URL that is sent the changes of shipments."""

    id: str
    client_id: str | None
    url: str
    types: tuple[str, ...]
    payload: OrText[Payload]
    ordering: OrText[Ordering]
    rate_per_s: float | None
    description: str | None
    state: OrText[EndpointState]
    paused_reason: OrText[PauseReason] | None
    paused_at: datetime | None
    failing_since: datetime | None
    created_by: str
    created_at: datetime
    updated_at: datetime


class NewWebhook(Webhook):
    """An endpoint with its secret, which is shown this once."""

    secret: str = Field(repr=False)


class WebhookAttempt(Model):
    """One attempt at a delivery."""

    at: datetime
    status_code: int | None
    duration_ms: int
    error: OrText[AttemptError] | None
    response: str | None


class ListedDelivery(Model):
    """A delivery of a change to an endpoint; its id is the `webhook-id`."""

    id: str
    endpoint_id: str
    type: str
    tracking_number: str
    version: int
    state: OrText[DeliveryState]
    next_attempt_at: datetime | None
    created_at: datetime
    updated_at: datetime
    last_attempt: WebhookAttempt | None


class WebhookDelivery(Model):
    """A delivery with its attempts, the last 30, and the body that is sent; null once it has expired."""

    id: str
    endpoint_id: str
    type: str
    tracking_number: str
    version: int
    state: OrText[DeliveryState]
    next_attempt_at: datetime | None
    created_at: datetime
    updated_at: datetime
    attempts: tuple[WebhookAttempt, ...]
    body: str | None


class WebhookReplay(Model):
    """A replay, and how many deliveries it has found, sent and seen fail so far."""

    id: str
    endpoint_id: str
    from_: datetime = Field(alias="from")
    to: datetime
    states: tuple[OrText[DeliveryState], ...]
    types: tuple[str, ...]
    state: OrText[ReplayState]
    matched: int
    sent: int
    failed: int
    created_at: datetime


class WebhookSecret(Model):
    """The new secret of an endpoint, which is shown this once."""

    secret: str = Field(repr=False)
