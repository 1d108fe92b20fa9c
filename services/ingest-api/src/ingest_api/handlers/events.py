"""POST /events and POST /events/batch."""

from typing import Final

from aiohttp import web

from httpkit.auth import principal
from httpkit.bodies import read_json
from httpkit.responses import json_response
from ingest_api.models import BATCH, EVENT
from ingest_api.reporting import EventReporter

REPORTER: Final = web.AppKey("reporter", EventReporter)


async def post_event(request: web.Request) -> web.Response:
    """Accept one event: 202 once every in-sync replica has it."""
    event = await read_json(request, EVENT)
    [command] = await request.app[REPORTER].report(
        [event], principal(request), traceparent=request.headers.get("traceparent")
    )
    return json_response(
        {
            "event_id": command.event_id,
            "status": "queued",
            "tracking_number": command.tracking_number,
            "message": "Event accepted for processing",
        },
        status=202,
        headers={"Location": f"/events/{command.event_id}"},
    )


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
