"""JSON responses, with times in RFC 3339, UTC, milliseconds and `Z`."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from aiohttp import web

from domain.timestamps import format_timestamp
from servicekit.clock import SystemClock

JSON_CONTENT_TYPE: Final = "application/json; charset=utf-8"


def current_time() -> str:
    """Return the current time in the API's format."""
    return format_timestamp(SystemClock().now())


def _encode_other(value: object) -> str:
    if isinstance(value, datetime):
        return format_timestamp(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


_encode = json.JSONEncoder(
    default=_encode_other, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode


def to_json(data: object) -> bytes:
    """Render plain values and aware datetimes as JSON."""
    return _encode(data).encode()


def json_response(
    data: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a response with `data` as JSON and a final newline; bytes are JSON that is rendered already."""
    body = data if isinstance(data, bytes) else to_json(data)
    return web.Response(
        body=body + b"\n", status=status, headers={"Content-Type": JSON_CONTENT_TYPE, **(headers or {})}
    )
