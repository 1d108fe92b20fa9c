"""POST /events/batch."""

from collections.abc import Iterator, Sequence
from typing import Any

from aiohttp import web

from domain.commands import ReportStatus
from httpkit.auth import principal
from httpkit.prefer import PREFERENCE_APPLIED, preferences
from httpkit.responses import json_response
from httpkit.tracing import traceparent_of
from ingest_api.batches import Item, Refused, read_batch
from ingest_api.handlers.events import REPORTER


async def post_batch(request: web.Request) -> web.Response:
    """Accept a batch of events: 202 once every in-sync replica has those that are queued.

    All or none; with `Prefer: handling=lenient` the good ones.
    """
    lenient = preferences(request).get("handling") == "lenient"
    items = await read_batch(request, lenient=lenient)
    good = [item for item in items if not isinstance(item, Refused)]
    commands = await request.app[REPORTER].report(
        good, principal(request), traceparent=traceparent_of(request)
    )
    body = {
        "received": len(items),
        "queued": len(commands),
        "message": "Events accepted for processing",
        "events": list(_shown(items, commands)),
    }
    if not lenient:
        return json_response(body, status=202)
    body["rejected"] = len(items) - len(commands)
    return json_response(body, status=202, headers={PREFERENCE_APPLIED: "handling=lenient"})


def _shown(items: Sequence[Item], commands: Sequence[ReportStatus]) -> Iterator[dict[str, Any]]:
    queued = iter(commands)
    for index, item in enumerate(items):
        if isinstance(item, Refused):
            details = [{"pointer": each.pointer, "message": each.message} for each in item.details]
            yield {"index": index, "status": "rejected", "error": item.error, "details": details}
        else:
            yield {"index": index, "event_id": next(queued).event_id, "status": "queued"}
