"""Tokens that no login returns: signed here, right or wrong in one claim."""

import time
import uuid
from typing import Any

import jwt

HOUR_S = 3600


def signed(secret: str | None, *, algorithm: str = "HS256", kid: str = "1", **claims: Any) -> str:  # noqa: ANN401  # wrong types too
    """Return a token of an admin for the next hour, except for what `claims` says; None takes one out."""
    now = int(time.time())
    good: dict[str, Any] = {
        "sub": "admin_user",
        "role": "admin",
        "client_id": None,
        "iss": "waybill",
        "aud": "waybill",
        "iat": now,
        "exp": now + HOUR_S,
        "jti": uuid.uuid4().hex,
    }
    said = {
        name: value for name, value in (good | claims).items() if value is not None or name == "client_id"
    }
    return jwt.encode(said, secret or "", algorithm, headers={"kid": kid})
