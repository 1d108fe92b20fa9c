"""Retractions: POST /events/{event_id}/retract."""

from typing import Any

from aiohttp import web

from domain.access.permissions import Principal, Role
from domain.errors import InvalidEventId
from domain.ports.core import Reply
from domain.shipments.commands import Command, RetractEvent
from domain.shipments.event_identity import EventId, retraction_event_id, tracking_number_of
from domain.timestamps import to_milliseconds
from httpkit.middleware.auth import principal
from httpkit.request.bodies import read_json
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from ingest_api.handlers.outcomes import outcome_response, submission_context
from ingest_api.handlers.post_events import CLOCK, SUBMITTER
from ingest_api.schemas.events import RETRACTION
from ingest_api.shipment_quota import charge_shipments


async def post_retraction(request: web.Request) -> web.Response:
    """Accept the retraction of an event: 202, or 200 once it is applied within the requested wait."""
    retracts = EventId(request.match_info["event_id"])
    try:
        event_id = retraction_event_id(retracts)
    except InvalidEventId as error:
        raise ApiError(ErrorCode.EVENT_NOT_FOUND, str(error)) from error
    body = await read_json(request, RETRACTION)
    caller = principal(request)
    now = to_milliseconds(request.app[CLOCK].now())
    command = RetractEvent(
        event_id=event_id,
        tracking_number=tracking_number_of(retracts),
        retracts=retracts,
        reason=body["reason"],
        timestamp=now,
        received_at=now,
        submitted_by=caller.subject,
        reported_by=_reported_by(caller),
    )
    await charge_shipments(request, (command.tracking_number,))
    reply = await request.app[SUBMITTER].append(command, submission_context(request))
    return outcome_response(
        request, command, reply, accepted="Retraction accepted for processing", applied=_applied
    )


def _reported_by(caller: Principal) -> str | None:
    return None if caller.role is Role.ADMIN else caller.subject


def _applied(command: Command, reply: Reply) -> tuple[dict[str, Any], dict[str, str]]:
    body = {
        "event_id": command.event_id,
        "status": reply.outcome,
        "tracking_number": command.tracking_number,
        "message": "Event retracted",
    }
    return body, {"Location": f"/events/{command.event_id}"}
