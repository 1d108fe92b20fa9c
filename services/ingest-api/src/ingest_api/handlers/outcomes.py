"""How an awaited outcome is answered: what is the same for events, amendments and cancellations."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeGuard

from aiohttp import web
from pydantic_core import to_json

from domain.errors import ErrorCode
from domain.ports.core import Reply
from domain.processing.batch import Outcome
from domain.shipments.commands import Command
from httpkit.middleware.auth import principal
from httpkit.middleware.request_spans import traceparent_of
from httpkit.request.prefer import PREFERENCE_APPLIED, preferred_wait_s
from httpkit.response.errors import ApiError
from httpkit.response.json_responses import json_response
from ingest_api.use_cases.submission import SubmissionContext

_CONFLICT_STATUS: Final = 409
_MESSAGES: Final[Mapping[ErrorCode, str]] = MappingProxyType(
    {
        ErrorCode.FORBIDDEN: "this shipment is not yours",
        ErrorCode.IDEMPOTENCY_CONFLICT: "the event with this id says something else, and stands",
        ErrorCode.INCOMPLETE_DIMENSIONS: "the shipment has no dimensions yet: send all three together",
        ErrorCode.INVALID_TRANSITION: "the shipment's status does not allow this",
        ErrorCode.PRECONDITION_FAILED: "the shipment's version is not one that is asked for",
        ErrorCode.SHIPMENT_NOT_FOUND: "there is no such shipment",
    }
)


def asker_of(request: web.Request, *, default_wait_s: float = 0.0) -> SubmissionContext:
    """Return who asks, and how long they wait: as long as they prefer, else `default_wait_s`."""
    preferred = preferred_wait_s(request)
    return SubmissionContext(
        principal(request),
        default_wait_s if preferred is None else preferred,
        traceparent_of(request),
    )


def honoured(request: web.Request) -> dict[str, str]:
    """Return the header that says that the client's wait was granted; nothing where it asked for none."""
    wait_s = preferred_wait_s(request)
    return {} if wait_s is None else {PREFERENCE_APPLIED: f"wait={wait_s}"}


def queued(command: Command, message: str, headers: Mapping[str, str]) -> web.Response:
    """Answer that the log has the command, and where its outcome can be looked up."""
    body = {
        "event_id": command.event_id,
        "status": "queued",
        "tracking_number": command.tracking_number,
        "message": message,
    }
    # Texts alone, so pydantic writes them as `json_response` would, in 0.7 µs instead of 4.1.
    return json_response(
        to_json(body), status=202, headers={"Location": f"/events/{command.event_id}", **headers}
    )


def is_final(answer: Reply | None) -> TypeGuard[Reply]:
    """Say whether an answer tells how it ended; a dead event may yet be replayed."""
    return answer is not None and answer.outcome != Outcome.DEAD


def require_applied(command: Command, answer: Reply, headers: Mapping[str, str]) -> None:
    """Raise what the processor had against a command.

    Raises:
        ApiError: 403, 404 or 409 where the command was not applied, with where to look it up.
    """
    if answer.reason is None:
        return
    raise ApiError(
        answer.reason,
        _MESSAGES[answer.reason],
        status=_CONFLICT_STATUS if answer.reason is ErrorCode.IDEMPOTENCY_CONFLICT else None,
        headers={"Location": f"/events/{command.event_id}", **headers},
    )
