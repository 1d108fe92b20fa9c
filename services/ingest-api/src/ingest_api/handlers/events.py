"""POST /events."""

from typing import Final

from aiohttp import web

from domain.errors import ErrorCode
from domain.permissions import may_report_as
from httpkit.auth import principal
from httpkit.bodies import read_json
from httpkit.errors import ApiError, Detail
from httpkit.responses import json_response
from ingest_api.batches import NOT_ALLOWED
from ingest_api.handlers.outcomes import asker_of, honoured, is_final, queued, require_applied
from ingest_api.models import EVENT
from ingest_api.reporting import EventReporter
from ingest_api.shares import require_share

REPORTER: Final = web.AppKey("reporter", EventReporter)


async def post_event(request: web.Request) -> web.Response:
    """Accept one event: 202 once every in-sync replica has it; with `Prefer: wait`, its outcome in time."""
    event = await read_json(request, EVENT)
    if not may_report_as(principal(request), event["source"]):
        raise ApiError(ErrorCode.SOURCE_NOT_ALLOWED, NOT_ALLOWED, details=[Detail("/source", NOT_ALLOWED)])
    await require_share(request, (event["tracking_number"],))
    command, answer = await request.app[REPORTER].report_and_wait(event, asker_of(request))
    headers = honoured(request)
    if not is_final(answer):
        return queued(command, "Event accepted for processing", headers)
    require_applied(command, answer, headers)
    body = {
        "event_id": command.event_id,
        "status": answer.outcome,
        "tracking_number": command.tracking_number,
        "message": "Event applied",
    }
    return json_response(body, headers={"Location": f"/events/{command.event_id}", **headers})
