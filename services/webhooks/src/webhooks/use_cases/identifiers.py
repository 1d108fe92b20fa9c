"""Ids of endpoints and replays."""

import secrets
from base64 import b32encode
from typing import Final

_LENGTH: Final = 20
_BYTES: Final = 13


def new_endpoint_id() -> str:
    """Return `wh_` and 20 random characters of base32, lower case."""
    return f"wh_{_random()}"


def new_replay_id() -> str:
    """Return `rp_` and 20 random characters of base32, lower case."""
    return f"rp_{_random()}"


def _random() -> str:
    return b32encode(secrets.token_bytes(_BYTES)).decode().lower()[:_LENGTH]
