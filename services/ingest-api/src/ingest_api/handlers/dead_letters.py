"""POST /dead-letters/{dead_letter_id}/replay."""

from typing import Final

from aiohttp import web

from domain.dead_letters import place_of
from domain.errors import ErrorCode
from domain.ports import DeadLetterReplayer
from httpkit.errors import ApiError
from httpkit.responses import json_response

REPLAYER: Final[web.AppKey[DeadLetterReplayer]] = web.AppKey("replayer", DeadLetterReplayer)


async def post_replay(request: web.Request) -> web.Response:
    """Put a dead letter back into the log, to be judged again: 202 once every in-sync replica has it."""
    dead_letter_id = request.match_info["dead_letter_id"]
    place = place_of(dead_letter_id)
    replayed = None if place is None else await request.app[REPLAYER].replay(place)
    if replayed is None:
        raise ApiError(ErrorCode.NOT_FOUND, "there is no such dead letter")
    body = {"id": dead_letter_id, "status": "queued"}
    if replayed.event_id is None:
        return json_response(body, status=202)
    headers = {"Location": f"/events/{replayed.event_id}"}
    return json_response(body | {"event_id": replayed.event_id}, status=202, headers=headers)
