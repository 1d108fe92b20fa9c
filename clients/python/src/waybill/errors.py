"""Errors of the client: each is a `WaybillError`."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from waybill.models.common import Problem

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


class WaybillError(Exception):
    """Any error of this package that is not a mistake in the call itself.

    Attributes:
        is_uncertain: an earlier attempt of the same call got no answer, and may have been executed.
    """

    is_uncertain: bool = False


class ConnectionFailed(WaybillError):
    """No complete response arrived.

    Attributes:
        is_sent: the request may have been executed; False: it surely was not.
    """

    def __init__(self, message: str, *, is_sent: bool) -> None:
        super().__init__(message)
        self.is_sent = is_sent

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make it again, in another process."""
        return _connection_failed, (str(self), self.is_sent), {"is_uncertain": self.is_uncertain}


class ApiError(WaybillError):
    """The API answered with an error, or with something that is no answer of Waybill's API.

    Attributes:
        status_code: of the response.
        code: such as `INVALID_TRANSITION`; docs/api.md lists all. Empty if the response is not the API's,
            but that of a proxy, for example.
        message: for people, in English.
        details: what is wrong, field by field; `pointer` is a JSON Pointer (RFC 6901) into the request.
        request_id: names the call in the server's logs; None if the response has none.
        body: the whole JSON object; empty if there was none.
        retry_after: seconds after which the call may succeed, if the response says.
    """

    def __init__(
        self,
        status_code: int,
        body: Mapping[str, Any] = _EMPTY,
        *,
        message: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status_code = status_code
        self.code = _text(body.get("error"))
        self.message = message or _text(body.get("message")) or _phrase(status_code)
        self.details = _problems(body.get("details"))
        self.request_id = request_id
        self.body = body
        self.retry_after = retry_after
        super().__init__(self._described())

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make it again, in another process."""
        given = {name: getattr(self, name) for name in ("message", "request_id", "retry_after")}
        return (
            _api_error,
            (type(self), self.status_code, dict(self.body), given),
            {"is_uncertain": self.is_uncertain},
        )

    def _described(self) -> str:
        first = " ".join(part for part in (str(self.status_code), self.code) if part)
        lines = [f"{first}: {self.message}"]
        lines += [f"  {each.pointer or '(body)'}: {each.message}" for each in self.details]
        if self.request_id:
            lines.append(f"  request id: {self.request_id}")
        return "\n".join(lines)


class BadRequest(ApiError):
    """The request is invalid (400), or its Idempotency-Key was used with another payload (422)."""


class Unauthorized(ApiError):
    """The user name, password, API key or token is wrong, or missing (401)."""


class Forbidden(ApiError):
    """The role does not allow it, or the resource belongs to another client (403)."""


class NotFound(ApiError):
    """There is no such thing (404)."""


class Conflict(ApiError):
    """The state of the resource does not allow it (409).

    The `message` names a shipment's status and what may follow, for people; an `Event` has both as members.
    """

    @property
    def held_until(self) -> datetime | None:
        """Time until which the event is held, to be applied once its status may follow; None: not held."""
        try:
            return datetime.fromisoformat(_text(self.body.get("held_until")))
        except ValueError:
            return None


class PreconditionFailed(ApiError):
    """The shipment has another version than the call asked for (412)."""


class RateLimited(ApiError):
    """Too many requests (429): `retry_after` says when to try again."""


class ServerError(ApiError):
    """The server failed, or is temporarily unavailable (5xx)."""


class UnexpectedResponse(ApiError):
    """The response is none of Waybill's API: a redirect, a login page of the network, another version."""


_CLASSES: Final[Mapping[int, type[ApiError]]] = MappingProxyType(
    {
        400: BadRequest,
        401: Unauthorized,
        403: Forbidden,
        404: NotFound,
        409: Conflict,
        412: PreconditionFailed,
        422: BadRequest,
        429: RateLimited,
    }
)


def error_class(status_code: int) -> type[ApiError]:
    """Return the class of the error that a status means."""
    if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError
    return _CLASSES.get(status_code, ApiError)


def _connection_failed(message: str, is_sent: bool) -> ConnectionFailed:  # noqa: FBT001 - for pickle
    return ConnectionFailed(message, is_sent=is_sent)


def _api_error(
    kind: type[ApiError], status_code: int, body: Mapping[str, Any], given: Mapping[str, Any]
) -> ApiError:
    return kind(status_code, body, **given)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _phrase(status_code: int) -> str:
    try:
        return HTTPStatus(status_code).phrase
    except ValueError:
        return "unknown status"


def _problems(value: object) -> tuple[Problem, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(
        Problem(pointer=_text(each.get("pointer")), message=_text(each.get("message")))
        for each in value
        if isinstance(each, dict)
    )
