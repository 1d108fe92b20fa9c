"""The origin under which a browser sees us: scheme, host and port, as the gateway was asked for them."""

from typing import Final

from aiohttp import hdrs, web
from yarl import URL

from httpkit.request.bodies import HTTP_SETTINGS
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from httpkit.settings import origins_of

_SCHEMES: Final = frozenset({"http", "https"})


def public_origin(request: web.Request) -> str:
    """Return the origin of our pages: `PUBLIC_URL`, or else as the request came through the gateway.

    Raises:
        ApiError: 400, the request names no host.
    """
    return request.app[HTTP_SETTINGS].public_url or _as_requested(request)


def is_secure(request: web.Request) -> bool:
    """Say whether the browser's connection is encrypted: our pages' origin begins with https.

    Raises:
        ApiError: see `public_origin`.
    """
    return public_origin(request).startswith("https:")


def _as_requested(request: web.Request) -> str:
    host = _forwarded(request, hdrs.X_FORWARDED_HOST) or request.host
    try:
        [origin] = origins_of(str(URL(f"{_scheme(request)}://{host}").origin()))
    except ValueError as error:
        raise ApiError(ErrorCode.VALIDATION_ERROR, "Host must be the host that you ask") from error
    return origin


def _scheme(request: web.Request) -> str:
    forwarded = _forwarded(request, hdrs.X_FORWARDED_PROTO)
    return forwarded if forwarded in _SCHEMES else request.scheme


def _forwarded(request: web.Request, name: str) -> str:
    """Return what the nearest proxy says, if we have one; what it was told is its own affair."""
    if not request.app[HTTP_SETTINGS].trusted_proxies:
        return ""
    return request.headers.get(name, "").rpartition(",")[2].strip().lower()
