"""Report of an event: POST /events."""

from typing import Final

from aiohttp import web

from domain.access.permissions import may_report_as
from httpkit.middleware.auth import principal
from httpkit.request.bodies import read_json
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Detail
from httpkit.response.json_responses import json_response
from ingest_api.handlers.outcomes import (
    is_final,
    preference_applied,
    queued,
    require_applied,
    submission_context,
)
from ingest_api.schemas.batch_bodies import NOT_ALLOWED
from ingest_api.schemas.events import EVENT
from ingest_api.shipment_quota import charge_shipments
from ingest_api.use_cases.event_reporting import EventReporter

REPORTER: Final = web.AppKey("reporter", EventReporter)


async def post_event(request: web.Request) -> web.Response:
    """Accept one event: 202 once every in-sync replica has it; with `Prefer: wait`, 200 when applied."""
    event = await read_json(request, EVENT)
    if not may_report_as(principal(request), event["source"]):
        raise ApiError(ErrorCode.SOURCE_NOT_ALLOWED, NOT_ALLOWED, details=[Detail("/source", NOT_ALLOWED)])
    await charge_shipments(request, (event["tracking_number"],))
    command, reply = await request.app[REPORTER].report_and_wait(event, submission_context(request))
    headers = preference_applied(request)
    if not is_final(reply):
        return queued(command, "Event accepted for processing", headers)
    require_applied(command, reply, headers)
    body = {
        "event_id": command.event_id,
        "status": reply.outcome,
        "tracking_number": command.tracking_number,
        "message": "Event applied",
    }
    return json_response(body, headers={"Location": f"/events/{command.event_id}", **headers})
