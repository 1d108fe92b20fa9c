"""Report of a batch of events: POST /events/batch."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from aiohttp import web

from httpkit.middleware.auth import principal
from httpkit.middleware.request_spans import traceparent_of
from httpkit.request.prefer import PREFERENCE_APPLIED, preferences
from httpkit.response.json_responses import json_response
from ingest_api.handlers.post_events import REPORTER
from ingest_api.schemas.batch_bodies import Entry, RejectedEvent, read_batch
from ingest_api.shipment_quota import charge_shipments

_SOME_ACCEPTED: Final = "Some events accepted for processing"


async def post_batch(request: web.Request) -> web.Response:
    """Accept a batch of events: 202 once every in-sync replica has the queued ones.

    All or none; with `Prefer: handling=lenient` the valid ones.
    """
    lenient = preferences(request).get("handling") == "lenient"
    caller, reporter = principal(request), request.app[REPORTER]
    entries = await read_batch(
        request, caller, lambda events: reporter.commands(events, caller), lenient=lenient
    )
    queued = [entry for entry in entries if not isinstance(entry, RejectedEvent)]
    await charge_shipments(request, (each.tracking_number for each in queued))
    await reporter.report(queued, traceparent=traceparent_of(request))
    body = {
        "received": len(entries),
        "queued": len(queued),
        "message": "All events accepted for processing" if len(queued) == len(entries) else _SOME_ACCEPTED,
        "events": list(_to_json(entries)),
    }
    if not lenient:
        return json_response(body, status=202)
    body["rejected"] = len(entries) - len(queued)
    return json_response(body, status=202, headers={PREFERENCE_APPLIED: "handling=lenient"})


def _to_json(entries: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    for index, entry in enumerate(entries):
        if isinstance(entry, RejectedEvent):
            details = [{"pointer": each.pointer, "message": each.message} for each in entry.details]
            yield {"index": index, "status": "rejected", "error": entry.error, "details": details}
        else:
            yield {"index": index, "event_id": entry.event_id, "status": "queued"}
