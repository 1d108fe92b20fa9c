"""Security of the pages: headers of every response, and the origin of every write."""

from typing import Final

from aiohttp import hdrs, web

from httpkit.request.origins import public_origin
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Handler

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    hdrs.CACHE_CONTROL: "no-store",
}
CONSOLE: Final = "/console"
SAFE: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers: a signal, so that errors carry them too."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Referrer-Policy", _referrer_policy(request.path))


@web.middleware
async def origin_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reject a write that does not come from our own pages."""
    is_page = request.path.startswith((CONSOLE, "/track"))
    if is_page and request.method not in SAFE and request.headers.get(hdrs.ORIGIN) != public_origin(request):
        raise ApiError(ErrorCode.FORBIDDEN, "this form was not sent from our own page")
    return await handler(request)


def _referrer_policy(path: str) -> str:
    # With no-referrer, browsers send forms with `Origin: null`, which the check of writes rejects.
    return "same-origin" if path.startswith(CONSOLE) else "no-referrer"
