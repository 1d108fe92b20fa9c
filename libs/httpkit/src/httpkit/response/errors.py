"""The error body, the table of statuses, and the middleware that turns every failure into them.

Every exception of a handler, the router, a port or the framework becomes
`{"error","message","status_code","timestamp","details"?}`, some with members of their own. An unexpected one
is logged with its traceback and becomes INTERNAL_ERROR, without its text.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

import structlog
from aiohttp import hdrs, web

from domain.errors import BusinessError, InvalidEventId, InvalidTrackingNumber, LastAdmin, TransientError
from httpkit.response.error_codes import ErrorCode
from httpkit.response.json_responses import current_time, json_response

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

STATUS: Final[Mapping[ErrorCode, int]] = MappingProxyType(
    {
        ErrorCode.API_KEY_LIMIT_REACHED: 409,
        ErrorCode.API_KEY_NOT_FOUND: 404,
        ErrorCode.AUTHENTICATION_REQUIRED: 401,
        ErrorCode.CANNOT_RESUME: 409,
        ErrorCode.DEAD_LETTER_DISCARDED: 409,
        ErrorCode.DELIVERY_HELD: 409,
        ErrorCode.DELIVERY_NOT_FOUND: 404,
        ErrorCode.EVENT_NOT_FOUND: 404,
        ErrorCode.FIELDS_TOO_LARGE: 431,
        ErrorCode.FORBIDDEN: 403,
        ErrorCode.IDEMPOTENCY_CONFLICT: 422,
        ErrorCode.INCOMPLETE_DIMENSIONS: 409,
        ErrorCode.INTERNAL_ERROR: 500,
        ErrorCode.INVALID_CREDENTIALS: 401,
        ErrorCode.INVALID_JSON: 400,
        ErrorCode.INVALID_TOKEN: 401,
        ErrorCode.INVALID_TRANSITION: 409,
        ErrorCode.LAST_ADMIN: 409,
        ErrorCode.LINKS_ENDED: 409,
        ErrorCode.LINK_NOT_FOUND: 404,
        ErrorCode.METHOD_NOT_ALLOWED: 405,
        ErrorCode.NOT_ACCEPTABLE: 406,
        ErrorCode.NOT_FOUND: 404,
        ErrorCode.NOT_THE_LATEST: 409,
        ErrorCode.OWN_ACCOUNT: 409,
        ErrorCode.PAYLOAD_TOO_LARGE: 413,
        ErrorCode.PRECONDITION_FAILED: 412,
        ErrorCode.QUARANTINE_FULL: 409,
        ErrorCode.RATE_LIMITED: 429,
        ErrorCode.REPLAY_NOT_FOUND: 404,
        ErrorCode.REQUEST_TIMEOUT: 408,
        ErrorCode.RETRACTED: 409,
        ErrorCode.SERVICE_UNAVAILABLE: 503,
        ErrorCode.SHIPMENT_NOT_FOUND: 404,
        ErrorCode.SOURCE_NOT_ALLOWED: 403,
        ErrorCode.TOO_MANY_ATTEMPTS: 429,
        ErrorCode.TOO_MANY_LINKS: 409,
        ErrorCode.TRACKING_NUMBER_TAKEN: 409,
        ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
        ErrorCode.URI_TOO_LONG: 414,
        ErrorCode.USERNAME_TAKEN: 409,
        ErrorCode.USER_NOT_FOUND: 404,
        ErrorCode.VALIDATION_ERROR: 400,
        ErrorCode.WEBHOOK_LIMIT_REACHED: 409,
        ErrorCode.WEBHOOK_NOT_FOUND: 404,
        ErrorCode.WEBHOOK_PAUSED: 409,
    }
)
"""Default status of each error code; a route may override it."""

RETRY_SOON: Final[Mapping[str, str]] = MappingProxyType({hdrs.RETRY_AFTER: "1"})

_UNREADABLE_IDS: Final[Mapping[type[BusinessError], ErrorCode]] = MappingProxyType(
    {
        InvalidEventId: ErrorCode.EVENT_NOT_FOUND,
        InvalidTrackingNumber: ErrorCode.SHIPMENT_NOT_FOUND,
    }
)
_FRAMEWORK_CODES: Final[Mapping[int, ErrorCode]] = MappingProxyType(
    {
        404: ErrorCode.NOT_FOUND,
        405: ErrorCode.METHOD_NOT_ALLOWED,
        408: ErrorCode.REQUEST_TIMEOUT,
        413: ErrorCode.PAYLOAD_TOO_LARGE,
        415: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    }
)
_FRAMEWORK_MESSAGES: Final[Mapping[ErrorCode, str]] = MappingProxyType(
    {
        ErrorCode.NOT_FOUND: "there is nothing at this path",
        ErrorCode.METHOD_NOT_ALLOWED: "this path does not know this method",
        ErrorCode.REQUEST_TIMEOUT: "the request took too long to arrive",
        ErrorCode.PAYLOAD_TOO_LARGE: "the body is too large",
        ErrorCode.UNSUPPORTED_MEDIA_TYPE: "the body is of a type that is not understood here",
    }
)
_SAFE_METHODS: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Detail:
    """One fault of a request: a JSON pointer to its location, and a message."""

    pointer: str
    message: str


class ApiError(Exception):
    """Exception that a handler raises to return an error response.

    Attributes:
        details: the faults, where they have locations.
        headers: added to the response.
        status: from `STATUS`, unless the route overrides it.
        members: added to the body.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
        members: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)
        self.headers = headers
        self.status = STATUS[code] if status is None else status
        self.members = members


def error_body(error: ApiError) -> dict[str, Any]:
    """Return the body of an error."""
    body: dict[str, Any] = {
        "error": error.code,
        "message": error.message,
        "status_code": error.status,
        "timestamp": current_time(),
    }
    if error.details:
        body["details"] = [{"pointer": detail.pointer, "message": detail.message} for detail in error.details]
    return {**body, **error.members}


def error_response(error: ApiError) -> web.Response:
    """Render an error as a response."""
    return json_response(error_body(error), status=error.status, headers=error.headers)


class ErrorRenderer(Protocol):
    """Function that renders an error of an app that serves pages."""

    def __call__(self, request: web.Request, error: ApiError) -> web.Response:
        """Return the response to a request that failed."""


RENDER_ERROR: Final = web.AppKey("render_error", ErrorRenderer)
"""Renders the errors of an app that serves pages; without it they are JSON."""


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure into an error response; only cancellation passes."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < web.HTTPBadRequest.status_code:
            raise
        found = _from_framework(error)
    except Exception as error:  # noqa: BLE001  # the last resort: its text must not leave the service
        found = _api_error_of(error, request)
    render = request.app.get(RENDER_ERROR)
    return error_response(found) if render is None else render(request, found)


def _api_error_of(error: Exception, request: web.Request) -> ApiError:
    match error:
        case ApiError():
            return error
        case BusinessError():
            return _from_business(error, request.method)
        case TransientError():
            _log.warning("dependency_unavailable", path=request.path, error=repr(error))
            return unavailable()
        case _:
            _log.exception("request_failed", method=request.method, path=request.path)
            return ApiError(ErrorCode.INTERNAL_ERROR, "something went wrong on our side")


def unavailable(message: str = "temporarily unavailable, try again") -> ApiError:
    """Return the error for a temporary failure: 503 with `Retry-After`."""
    return ApiError(ErrorCode.SERVICE_UNAVAILABLE, message, headers=RETRY_SOON)


def _from_framework(error: web.HTTPException) -> ApiError:
    fallback = ErrorCode.INTERNAL_ERROR if error.status >= STATUS[ErrorCode.INTERNAL_ERROR] else None
    code = fallback or _FRAMEWORK_CODES.get(error.status, ErrorCode.VALIDATION_ERROR)
    message = _FRAMEWORK_MESSAGES.get(code, error.reason)
    allow = error.headers.get(hdrs.ALLOW)
    headers: dict[str, str] | None = {hdrs.ALLOW: allow} if allow is not None else None
    return ApiError(code, message, headers=headers, status=error.status)


def _from_business(error: BusinessError, method: str) -> ApiError:
    if isinstance(error, LastAdmin):
        return ApiError(ErrorCode.LAST_ADMIN, str(error))
    code = _UNREADABLE_IDS.get(type(error)) if method in _SAFE_METHODS else None
    return ApiError(code or ErrorCode.VALIDATION_ERROR, str(error))
