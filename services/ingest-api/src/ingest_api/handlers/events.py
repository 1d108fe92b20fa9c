"""POST /events and POST /events/batch."""

from typing import Final

from aiohttp import web

from httpkit.auth import principal
from httpkit.bodies import read_json
from httpkit.responses import json_response
from ingest_api.handlers.outcomes import asker_of, honoured, is_final, queued, require_applied
from ingest_api.models import BATCH, EVENT
from ingest_api.reporting import EventReporter

REPORTER: Final = web.AppKey("reporter", EventReporter)


async def post_event(request: web.Request) -> web.Response:
    """Accept one event: 202 once every in-sync replica has it; with `Prefer: wait`, its outcome in time."""
    event = await read_json(request, EVENT)
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


async def post_batch(request: web.Request) -> web.Response:
    """Accept a batch of events, all or none: 202 once every in-sync replica has all of them."""
    batch = await read_json(request, BATCH)
    commands = await request.app[REPORTER].report(
        batch["events"], principal(request), traceparent=request.headers.get("traceparent")
    )
    return json_response(
        {
            "received": len(commands),
            "queued": len(commands),
            "message": "Events accepted for processing",
            "events": [
                {"index": index, "event_id": command.event_id, "status": "queued"}
                for index, command in enumerate(commands)
            ],
        },
        status=202,
    )
