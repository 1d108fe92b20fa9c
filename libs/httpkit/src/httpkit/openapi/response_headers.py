"""The headers of answers, described once for the contract."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

TEXT: Final = {"type": "string"}
SECONDS: Final = {"type": "integer", "minimum": 0}


def _header(description: str, example: object, schema: Mapping[str, Any] = TEXT) -> dict[str, Any]:
    return {"description": description, "schema": dict(schema), "example": example}


HEADERS: Final[Mapping[str, dict[str, Any]]] = MappingProxyType(
    {
        "Allow": _header("The methods that this path knows.", "GET, HEAD, POST"),
        "Cache-Control": _header("Whether the answer may be kept.", "private, no-cache"),
        "ETag": _header("The version of what is shown: send it back as If-None-Match.", '"v3"'),
        "Link": _header(
            "The pages around this one (RFC 8288): `first`, and `prev` and `next` where there are.",
            '</shipments?cursor=eyJ&limit=10>; rel="next"',
        ),
        "Location": _header("Where what was made, or what became of it, can be looked up.", "/events/evt_…"),
        "Preference-Applied": _header("Which preferences were honoured (RFC 7240).", "wait=5"),
        "RateLimit": _header(
            "What is left of the budget, and in how many seconds it is whole.", '"reads";r=199;t=1'
        ),
        "RateLimit-Policy": _header("The budget: so many requests in so many seconds.", '"reads";q=200;w=1'),
        "Retry-After": _header("How many seconds to wait before asking again.", 1, SECONDS),
        "WWW-Authenticate": _header("The scheme to use (RFC 6750).", "Bearer"),
    }
)

BY_STATUS: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType(
    {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}
)
"""What every error of a status carries."""

OF_LIMITED: Final = ("RateLimit", "RateLimit-Policy")
"""What every answer of a route with a budget carries, as long as Redis or the process knows what is left."""
