"""The test of an endpoint: one message of its own type, attempted once and stored nowhere."""

import json
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime
from secrets import token_bytes
from typing import Final

from domain.timestamps import format_timestamp
from domain.webhooks.delivery import Attempt
from domain.webhooks.message import TEST
from webhooks.sending.sender import Sender, SignedMessage

_ID_BYTES: Final = 20


async def attempt_once(sender: Sender, url: str, secrets: Sequence[str], now: datetime) -> Attempt:
    """Send a test message to a receiver once, and return how that ended; takes up to 17 s.

    Args:
        sender: of the message.
        url: of the receiver.
        secrets: that sign it, each `whsec_…`.
        now: the time of the message.
    """
    body = {"type": TEST, "timestamp": format_timestamp(now), "data": {}}
    message_id = f"msg_{b32encode(token_bytes(_ID_BYTES)).decode().lower()}"
    message = SignedMessage(
        url=url, secrets=secrets, message_id=message_id, body=json.dumps(body, separators=(",", ":")).encode()
    )
    return await sender.attempt(message)
