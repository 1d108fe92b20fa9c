"""Reports of events: POST /events and POST /events/batch."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from aiohttp import web
from pydantic_core import to_json

from domain.ports.core import Clock, CommandLog, Reply
from domain.shipments.commands import Command
from httpkit.middleware.auth import principal
from httpkit.middleware.request_spans import traceparent_of
from httpkit.request.bodies import read_json
from httpkit.request.prefer import PREFERENCE_APPLIED, preferences
from httpkit.response.json_responses import json_response
from ingest_api.handlers.outcomes import outcome_response, submission_context
from ingest_api.schemas.batch_bodies import Entry, RejectedEvent, read_batch
from ingest_api.schemas.events import EVENT, command_of
from ingest_api.shipment_quota import charge_shipments
from ingest_api.use_cases.submission import CommandSubmitter

CLOCK: Final = web.AppKey("clock", Clock)
COMMAND_LOG: Final = web.AppKey("command_log", CommandLog)
SUBMITTER: Final = web.AppKey("submitter", CommandSubmitter)

_SOME_ACCEPTED: Final = "Some events accepted for processing"


async def post_event(request: web.Request) -> web.Response:
    """Accept one event: 202 once every in-sync replica has it; with `Prefer: wait`, 200 when applied."""
    event = await read_json(request, EVENT)
    command = command_of(event, principal(request), request.app[CLOCK].now())
    await charge_shipments(request, (command.tracking_number,))
    reply = await request.app[SUBMITTER].append(command, submission_context(request))
    return outcome_response(
        request, command, reply, accepted="Event accepted for processing", applied=_applied
    )


async def post_batch(request: web.Request) -> web.Response:
    """Accept a batch of events: 202 once every in-sync replica has the queued ones.

    All or none; with `Prefer: handling=lenient` the valid ones.
    """
    lenient = preferences(request).get("handling") == "lenient"
    entries = await read_batch(request, principal(request), request.app[CLOCK], lenient=lenient)
    commands = [entry for entry in entries if not isinstance(entry, RejectedEvent)]
    await charge_shipments(request, (each.tracking_number for each in commands))
    await request.app[COMMAND_LOG].append(commands, traceparent=traceparent_of(request))
    body = {
        "received": len(entries),
        "queued": len(commands),
        "message": "All events accepted for processing" if len(commands) == len(entries) else _SOME_ACCEPTED,
        "events": list(_to_json(entries)),
    }
    if not lenient:
        return json_response(to_json(body), status=202)
    body["rejected"] = len(entries) - len(commands)
    return json_response(to_json(body), status=202, headers={PREFERENCE_APPLIED: "handling=lenient"})


def _applied(command: Command, reply: Reply) -> tuple[dict[str, Any], dict[str, str]]:
    body = {
        "event_id": command.event_id,
        "status": reply.outcome,
        "tracking_number": command.tracking_number,
        "message": "Event applied",
    }
    return body, {"Location": f"/events/{command.event_id}"}


def _to_json(entries: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    for index, entry in enumerate(entries):
        if isinstance(entry, RejectedEvent):
            details = [{"pointer": each.pointer, "message": each.message} for each in entry.details]
            yield {"index": index, "status": "rejected", "error": entry.error, "details": details}
        else:
            yield {"index": index, "event_id": entry.event_id, "status": "queued"}
