"""Replay of dead letters: POST /dead-letters/{dead_letter_id}/replay and /dead-letters/replay."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from domain.errors import NotPublished, TransientError
from domain.ports.dead_letters import DeadLetterReplayer, Replayed
from domain.processing.dead_letter import RecordPosition, position_of
from httpkit.middleware.auth import principal
from httpkit.request.bodies import read_json
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from httpkit.response.json_responses import json_response
from ingest_api.schemas.events import REPLAY

REPLAYER: Final[web.AppKey[DeadLetterReplayer]] = web.AppKey("replayer", DeadLetterReplayer)

Outcome = Replayed | TransientError | None


async def post_replay(request: web.Request) -> web.Response:
    """Replay a dead letter: 202 once every in-sync replica of the log has it again."""
    dead_letter_id = request.match_info["dead_letter_id"]
    outcome = (await _replayed(request, [dead_letter_id]))[dead_letter_id]
    if isinstance(outcome, TransientError):
        raise outcome
    if outcome is None:
        raise ApiError(ErrorCode.NOT_FOUND, "there is no such dead letter")
    body = _to_json(dead_letter_id, outcome)
    if outcome.event_id is None:
        return json_response(body, status=202)
    return json_response(body, status=202, headers={"Location": f"/events/{outcome.event_id}"})


async def post_replays(request: web.Request) -> web.Response:
    """Replay dead letters, those of one shipment in order: 202 with the result of each."""
    wanted = await read_json(request, REPLAY)
    outcomes = await _replayed(request, wanted["ids"])
    troubles = [each for each in outcomes.values() if isinstance(each, TransientError)]
    if troubles and not any(isinstance(each, Replayed) for each in outcomes.values()):
        raise troubles[0]
    items = [_to_json(each, outcomes[each]) for each in wanted["ids"]]
    queued = sum(item["status"] == "queued" for item in items)
    return json_response({"received": len(items), "queued": queued, "items": items}, status=202)


async def _replayed(request: web.Request, ids: Sequence[str]) -> Mapping[str, Outcome]:
    places = dict(_places(ids))
    outcomes = await request.app[REPLAYER].replay(list(places.values()), by=principal(request).subject)
    return dict.fromkeys(ids, None) | dict(zip(places, outcomes, strict=True))


def _places(ids: Sequence[str]) -> Iterator[tuple[str, RecordPosition]]:
    for each in ids:
        place = position_of(each)
        if place is not None:
            yield each, place


def _to_json(dead_letter_id: str, outcome: Outcome) -> dict[str, Any]:
    if outcome is None:
        return {"id": dead_letter_id, "status": "not_found"}
    if isinstance(outcome, TransientError):
        surely = isinstance(outcome, NotPublished)
        message = "it is not in the log" if surely else "it may be in the log: sending it again is safe"
        return {"id": dead_letter_id, "status": "error", "message": message}
    queued = {"id": dead_letter_id, "status": "queued"}
    return queued if outcome.event_id is None else queued | {"event_id": outcome.event_id}
