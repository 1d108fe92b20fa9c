"""Deliveries: one per change and endpoint, with its attempts."""

from base64 import b32encode
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from domain.values import value

KEPT_FOR: Final = timedelta(days=30)
"""Time from the creation of a delivery until it is deleted, once it is delivered or failed."""
HELD_FOR: Final = timedelta(days=7)
"""Time from the moment that a delivery is held until it is deleted."""


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
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105  # an error, not a secret


FINAL_ERRORS: Final = frozenset({AttemptError.ADDRESS_NOT_ALLOWED, AttemptError.MESSAGE_EXPIRED})
"""Errors after which a delivery is not tried again."""

GONE: Final = 410
"""Status by which a receiver asks for no more deliveries."""
TOO_MANY_REQUESTS: Final = 429
SERVICE_UNAVAILABLE: Final = 503


@value(kw_only=True)
class Attempt:
    """One attempt at a delivery.

    Attributes:
        at: when it began.
        status_code: of the response, None without one.
        duration_ms: until the response, or the failure.
        error: None if the response's status is 2xx; nothing else counts.
        response: the beginning of the response's body.
        retry_after_s: how long the receiver asked to wait, None if it did not.
    """

    at: datetime
    status_code: int | None
    duration_ms: int
    error: AttemptError | None = None
    response: str | None = None
    retry_after_s: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the delivery is done."""
        return self.error is None


def delivery_id(endpoint_id: str, change_id: str) -> str:
    """Return the id of the delivery of a change to an endpoint, which is its `webhook-id`.

    The same whenever it is asked for, so that a change that is read twice is delivered once.

    Returns:
        `msg_` and 32 characters: BLAKE2b-160 of both in base32 (RFC 4648), lower case.
    """
    digest = blake2b(f"{endpoint_id}\n{change_id}".encode(), digest_size=20).digest()
    return f"msg_{b32encode(digest).decode().lower()}"
