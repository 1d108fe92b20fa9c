"""CORS: browsers block calls from pages of other origins unless `CORS_ORIGINS` lists the origin.

Credentials are never allowed: callers send a token in `Authorization`, and cookies have no meaning.
"""

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
PREFLIGHT_MAX_AGE_S: Final = 600


Signal = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


def allow_origins(origins: Collection[str]) -> Signal:
    """Return the signal of `on_response_prepare` that lets pages of these origins read responses.

    It serves preflights too: the methods come from the `Allow` of the OPTIONS response.
    """

    async def add_cors_headers(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)  # a cache must not give one origin's response to another
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or origin not in origins:
            return
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        if request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
            methods = response.headers.get(hdrs.ALLOW, "").replace(",", ", ")
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = methods
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = ", ".join(ALLOWED_HEADERS)
            response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(PREFLIGHT_MAX_AGE_S)
        else:
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = ", ".join(EXPOSED_HEADERS)

    return add_cors_headers
