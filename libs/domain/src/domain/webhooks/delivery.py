"""Deliveries: one per change and endpoint, with its attempts."""

from base64 import b32encode
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b

from domain.values import value


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


@value(kw_only=True)
class Attempt:
    """One attempt at a delivery.

    Attributes:
        at: when it began.
        status_code: of the response, None without one.
        duration_ms: until the response, or the failure.
        error: why there was no response, or why it does not count; None after a success.
        response: the beginning of the response's body.
        retry_after_s: how long the receiver asked to wait, None if it did not.
    """

    at: datetime
    status_code: int | None
    duration_ms: int
    error: str | None = None
    response: str | None = None
    retry_after_s: float | None = None


def delivery_id(endpoint_id: str, change_id: str) -> str:
    """Return the id of the delivery of a change to an endpoint, which is its `webhook-id`.

    The same whenever it is asked for, so that a change that is read twice is delivered once.

    Returns:
        `msg_` and 32 characters: BLAKE2b-160 of both in base32 (RFC 4648), lower case.
    """
    digest = blake2b(f"{endpoint_id}\n{change_id}".encode(), digest_size=20).digest()
    return f"msg_{b32encode(digest).decode().lower()}"
