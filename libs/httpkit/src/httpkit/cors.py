"""Calls from pages of other origins (CORS): refused by browsers until `CORS_ORIGINS` names who may make them.

Credentials are never allowed: callers show a token in `Authorization`, and no cookie decides anything.
"""

import re
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from aiohttp import hdrs, web

ALLOWED_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "traceparent",
    "X-Request-Id",
)
EXPOSED_HEADERS: Final = (
    "Allow",
    "ETag",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)
PREFLIGHT_KEPT_S: Final = 600

_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*+://(?:[a-z0-9._-]++|\[[0-9a-f:.]++\])(?::[1-9][0-9]{0,4})?")
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}

Signal = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


def origins_of(text: str) -> tuple[str, ...]:
    """Return the origins that a list, separated by commas or blanks, names.

    Raises:
        ValueError: one is not written as browsers write it, or stands for any.
    """
    origins = tuple(dict.fromkeys(text.replace(",", " ").split()))
    for origin in origins:
        scheme = origin.partition(":")[0]
        if _ORIGIN.fullmatch(origin) is None or origin.endswith(_DEFAULT_PORTS.get(scheme, "/")):
            raise ValueError(
                f"{origin!r} is no origin: write https://app.example.com, in lower case, without a path, "
                "the default port or *"
            )
    return origins


def share_with(origins: Collection[str]) -> Signal:
    """Return the signal of `on_response_prepare` that lets pages of these origins read answers.

    It answers preflights, too: OPTIONS says in `Allow` which methods a path knows.
    """

    async def share(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)  # a cache must not give one origin's answer to another
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or origin not in origins:
            return
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        if request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
            methods = response.headers.get(hdrs.ALLOW, "").replace(",", ", ")
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = methods
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = ", ".join(ALLOWED_HEADERS)
            response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(PREFLIGHT_KEPT_S)
        else:
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = ", ".join(EXPOSED_HEADERS)

    return share
