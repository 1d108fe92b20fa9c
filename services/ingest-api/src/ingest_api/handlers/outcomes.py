"""Responses with an awaited outcome, shared by events, amendments and cancellations."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, TypeGuard

from aiohttp import web
from pydantic_core import to_json

from domain.ports.core import Reply
from domain.processing.batch import Outcome
from domain.shipments.commands import Command, CreateShipment, ReportCheckpoint, RetractEvent
from domain.shipments.rejection import RejectionReason
from domain.shipments.retraction import OWN_WITHIN
from domain.shipments.status import Status, following
from httpkit.middleware.auth import principal
from httpkit.middleware.request_spans import traceparent_of
from httpkit.request.prefer import PREFERENCE_APPLIED, preferred_wait_s
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from httpkit.response.json_responses import json_response
from ingest_api.use_cases.submission import SubmissionContext

Applied = Callable[[Command, Reply], tuple[Mapping[str, Any], Mapping[str, str]]]
"""Function that returns body and headers of the response to an applied command."""

_CONFLICT_STATUS: Final = 409
_OWN_HOURS: Final = OWN_WITHIN // timedelta(hours=1)
_NOT_SENT_BY_CALLER: Final = (
    f"only an admin can retract what others have sent, or what is older than {_OWN_HOURS} hours"
)
_ERRORS: Final[Mapping[RejectionReason, tuple[ErrorCode, str]]] = MappingProxyType(
    {
        RejectionReason.EVENT_NOT_FOUND: (ErrorCode.EVENT_NOT_FOUND, "there is no such event"),
        RejectionReason.FORBIDDEN: (ErrorCode.FORBIDDEN, "this shipment is not yours"),
        RejectionReason.IDEMPOTENCY_CONFLICT: (
            ErrorCode.IDEMPOTENCY_CONFLICT,
            "another payload of this event came first, and counts",
        ),
        RejectionReason.INCOMPLETE_DIMENSIONS: (
            ErrorCode.INCOMPLETE_DIMENSIONS,
            "the shipment has no dimensions yet: send all three together",
        ),
        RejectionReason.INVALID_TRANSITION: (
            ErrorCode.INVALID_TRANSITION,
            "the shipment's status does not allow this",
        ),
        RejectionReason.NOT_THE_LATEST: (
            ErrorCode.NOT_THE_LATEST,
            "only the last event of a shipment's history can be retracted, and never its creation",
        ),
        RejectionReason.PRECONDITION_FAILED: (
            ErrorCode.PRECONDITION_FAILED,
            "the shipment's version is not one that is asked for",
        ),
        RejectionReason.RETRACTED: (
            ErrorCode.RETRACTED,
            "the event was retracted, and stays so: report it with another time",
        ),
        RejectionReason.SHIPMENT_NOT_FOUND: (ErrorCode.SHIPMENT_NOT_FOUND, "there is no such shipment"),
        RejectionReason.TRACKING_NUMBER_TAKEN: (
            ErrorCode.TRACKING_NUMBER_TAKEN,
            "the tracking number belongs to another shipment: try again",
        ),
    }
)


def submission_context(request: web.Request, *, default_wait_s: float = 0.0) -> SubmissionContext:
    """Return the caller and its wait: by `Prefer: wait`, else `default_wait_s`."""
    preferred = preferred_wait_s(request)
    return SubmissionContext(
        principal(request),
        default_wait_s if preferred is None else preferred,
        traceparent_of(request),
    )


def outcome_response(
    request: web.Request, command: Command, reply: Reply | None, *, accepted: str, applied: Applied
) -> web.Response:
    """Return the response to an appended command: 200 if it is applied, 202 while its outcome is open.

    Args:
        request: of the command.
        command: as it was appended.
        reply: its outcome, None if there is none in time.
        accepted: message of the 202.
        applied: body and headers of the 200.

    Raises:
        ApiError: 403, 404, 409 or 412 if the command was not applied, with its `Location`.
    """
    headers = preference_applied(request)
    if not is_final(reply):
        return queued(command, accepted, headers)
    _require_applied(command, reply, headers)
    body, own_headers = applied(command, reply)
    return json_response(body, headers={**own_headers, **headers})


def preference_applied(request: web.Request) -> dict[str, str]:
    """Return the header that confirms the client's wait; empty if it asked for none."""
    wait_s = preferred_wait_s(request)
    return {} if wait_s is None else {PREFERENCE_APPLIED: f"wait={wait_s}"}


def queued(command: Command, message: str, headers: Mapping[str, str]) -> web.Response:
    """Return 202: the log has the command, and its outcome will be at `Location`."""
    body = {
        "event_id": command.event_id,
        "status": "queued",
        "tracking_number": command.tracking_number,
        "message": message,
    }
    # Strings alone, so pydantic renders them as `json_response` would, in 0.7 µs instead of 4.1.
    return json_response(
        to_json(body), status=202, headers={"Location": f"/events/{command.event_id}", **headers}
    )


def is_final(reply: Reply | None) -> TypeGuard[Reply]:
    """Return whether a reply is final; a dead event may still be replayed."""
    return reply is not None and reply.outcome != Outcome.DEAD


def _require_applied(command: Command, reply: Reply, headers: Mapping[str, str]) -> None:
    if reply.reason is None:
        return
    located = {"Location": f"/events/{command.event_id}", **headers}
    if reply.reason is RejectionReason.INVALID_TRANSITION and reply.current_status is not None:
        raise _transition_error(command, reply.current_status, reply.held_until, located)
    is_foreign = reply.reason is RejectionReason.FORBIDDEN and isinstance(command, RetractEvent)
    raise rejection_error(
        reply.reason,
        located,
        message=_NOT_SENT_BY_CALLER if is_foreign else None,
        status=_CONFLICT_STATUS if reply.reason is RejectionReason.IDEMPOTENCY_CONFLICT else None,
    )


def _transition_error(
    command: Command, status: Status, held_until: datetime | None, headers: Mapping[str, str]
) -> ApiError:
    """Return the error of a command that the shipment's status forbids: it says which would be allowed."""
    message = f"the shipment is {status}; {_allowed(command, status)}"
    members: dict[str, object] = {}
    if held_until is not None:
        message = f"{message}. The event is held, and applied once its status may follow"
        members["held_until"] = held_until
    return ApiError(ErrorCode.INVALID_TRANSITION, message, headers=headers, members=members)


def _allowed(command: Command, status: Status) -> str:
    names = following(status)
    if not names:
        return "nothing can follow"
    if isinstance(command, ReportCheckpoint):
        return "checkpoints may follow once it is picked up"
    if not isinstance(command, CreateShipment | RetractEvent) and command.on_behalf_of is not None:
        return f"its client may change or cancel it only while it is {Status.CREATED}"
    return f"{' or '.join(names)} may follow"


def rejection_error(
    reason: RejectionReason,
    headers: Mapping[str, str],
    *,
    message: str | None = None,
    status: int | None = None,
) -> ApiError:
    """Return the error of a rejection: the one place where a reason becomes an error code.

    Args:
        reason: why the command was rejected.
        headers: of the response.
        message: in place of the usual one.
        status: in place of the usual one of the code.
    """
    code, usual = _ERRORS[reason]
    return ApiError(code, message or usual, status=status, headers=headers)
