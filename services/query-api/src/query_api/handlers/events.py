"""GET /events/{event_id}: what became of an event."""

from aiohttp import web

from domain.errors import ErrorCode
from domain.identity import EventId, tracking_number_of
from domain.permissions import may_read_event
from httpkit.auth import principal
from httpkit.errors import RETRY_SOON, ApiError
from httpkit.responses import json_response
from query_api.adapters import ADAPTERS


async def get_event(request: web.Request) -> web.Response:
    """Answer with the outcome; 404 with `Retry-After` as long as there is none."""
    event_id = EventId(request.match_info["event_id"])
    tracking_number_of(event_id)  # what can be no event's id is 404 without a look, and for good
    event = await request.app[ADAPTERS].events.get(event_id)
    if event is None:
        message = "no such event, or it has not been processed yet"
        raise ApiError(ErrorCode.EVENT_NOT_FOUND, message, headers=RETRY_SOON)
    asking = principal(request)
    if not may_read_event(asking, client_id=event["client_id"], submitted_by=event["submitted_by"]):
        raise ApiError(ErrorCode.FORBIDDEN, "this event is not yours")
    return json_response(event)
