"""Request ids: one for each request, in its log lines and in its response."""

import re
import secrets
import time
from itertools import count
from typing import Final

import structlog
from aiohttp import hdrs, web

from httpkit.response.errors import Handler
from servicekit.logs import close_log_context, open_log_context

_log = structlog.get_logger(__name__)

REQUEST_ID_HEADER: Final = "X-Request-Id"
REQUEST_ID: Final = web.RequestKey("request_id", str)
SERVER_NAME: Final = "waybill"
_SANE_ID: Final = re.compile(r"[\x21-\x7e]{1,128}")
_ID_PREFIX: Final = secrets.token_hex(6)
_numbers = count()


def new_request_id() -> str:
    """Return an id that is unique over all replicas; a counter, because this is on the hot path."""
    return f"{_ID_PREFIX}-{next(_numbers):x}"


@web.middleware
async def request_id_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give each request an id, in the log and in the response; the caller's own if it is well formed."""
    given = request.headers.get(REQUEST_ID_HEADER)
    own_id = given if given is not None and _SANE_ID.fullmatch(given) else new_request_id()
    request[REQUEST_ID] = own_id
    context = open_log_context(request_id=own_id)
    started = time.perf_counter()
    try:
        response = await handler(request)
        if not response.prepared:
            response.headers[REQUEST_ID_HEADER] = own_id
            response.headers[hdrs.SERVER] = SERVER_NAME  # not the versions that aiohttp would send
        duration_ms = round((time.perf_counter() - started) * 1000, 2)
        _log.debug(
            "request", method=request.method, path=request.path, status=response.status, ms=duration_ms
        )
        return response
    finally:
        # One task serves all requests of a connection: this one's id must not appear with the next.
        close_log_context(context)
