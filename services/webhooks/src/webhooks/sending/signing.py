"""Signatures of Standard Webhooks, by the package of its authors."""

from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook


def signed_headers(message_id: str, body: bytes, secrets: Sequence[str], at: datetime) -> dict[str, str]:
    """Return the headers that identify and sign a message.

    Args:
        message_id: the same for every attempt at it.
        body: bytes as they are sent, in UTF-8.
        secrets: each `whsec_…`; during a rotation there are two, and both sign.
        at: when the attempt begins, with a zone.

    Raises:
        ValueError: `at` has no zone: `sign` would take it for UTC, whatever it means.
    """
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be signed")
    utc, text = at.astimezone(UTC), body.decode()
    signatures = (Webhook(secret).sign(message_id, utc, text) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(utc.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
