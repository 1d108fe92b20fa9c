"""Response headers, described once for the OpenAPI document."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

TEXT: Final = {"type": "string"}
SECONDS: Final = {"type": "integer", "minimum": 0}


def _header(description: str, example: object, schema: Mapping[str, Any] = TEXT) -> dict[str, Any]:
    return {"description": description, "schema": dict(schema), "example": example}


HEADERS: Final[Mapping[str, dict[str, Any]]] = MappingProxyType(
    {
        "Allow": _header("The methods that this path supports.", "GET, HEAD, POST"),
        "Cache-Control": _header("Whether the response may be cached.", "private, no-cache"),
        "ETag": _header("The version of the resource; send it back as If-None-Match.", '"v3"'),
        "Link": _header(
            "Links to other pages (RFC 8288): `first`, and `prev` and `next` where they exist.",
            '</shipments?cursor=eyJ&limit=10>; rel="next"',
        ),
        "Location": _header("URL of the created resource, or of the outcome.", "/events/evt_…"),
        "Preference-Applied": _header("The preferences that were applied (RFC 7240).", "wait=5"),
        "RateLimit": _header(
            "The remaining budget, and the seconds until it is full again.", '"reads";r=199;t=1'
        ),
        "RateLimit-Policy": _header(
            "The budget: requests (`q`) per window of seconds (`w`).", '"reads";q=200;w=1'
        ),
        "Retry-After": _header("Seconds to wait before the next attempt.", 1, SECONDS),
        "WWW-Authenticate": _header("The scheme to use (RFC 6750).", "Bearer"),
    }
)

BY_STATUS: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType(
    {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}
)
"""Headers of every error, by status."""

OF_LIMITED: Final = ("RateLimit", "RateLimit-Policy")
"""Headers of every response of a route with a budget, while the remaining budget is known."""
