"""Client of Waybill, the open shipment-tracking backend."""

from importlib.metadata import version

from waybill._async.client import AsyncWaybill
from waybill._sync.client import Waybill
from waybill.errors import (
    ApiError,
    BadRequest,
    Conflict,
    ConnectionFailed,
    Forbidden,
    NotFound,
    PreconditionFailed,
    RateLimited,
    ServerError,
    Unauthorized,
    UnexpectedResponse,
    WaybillError,
)
from waybill.models import Status
from waybill.outbox import InvalidScan, Outbox, OutboxBusy, OutboxError, OutboxFull
from waybill.webhooks import InvalidWebhook

__version__ = version("waybill")

__all__ = [
    "ApiError",
    "AsyncWaybill",
    "BadRequest",
    "Conflict",
    "ConnectionFailed",
    "Forbidden",
    "InvalidScan",
    "InvalidWebhook",
    "NotFound",
    "Outbox",
    "OutboxBusy",
    "OutboxError",
    "OutboxFull",
    "PreconditionFailed",
    "RateLimited",
    "ServerError",
    "Status",
    "Unauthorized",
    "UnexpectedResponse",
    "Waybill",
    "WaybillError",
    "__version__",
]
