"""Handlers of /dead-letters: list, get and discard."""

from aiohttp import web

from domain.ports.queries import DeadLetterFilter
from domain.processing.dead_letter import DeadLetterId, Discard
from httpkit.listing.list_pages import PRIVATE, listing_of, page_response, period_of
from httpkit.listing.list_queries import NO_QUERY
from httpkit.middleware.auth import principal
from httpkit.request.bodies import read_json, read_query
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from httpkit.response.json_responses import json_response
from query_api.adapters import ADAPTERS
from query_api.schemas.bodies import DISCARD
from query_api.schemas.list_queries import DEAD_LETTER_QUERY
from servicekit.clock import SystemClock


async def get_dead_letter(request: web.Request) -> web.Response:
    """Return one dead letter."""
    read_query(request, NO_QUERY)
    return await _dead_letter_response(request, request.match_info["dead_letter_id"])


async def discard_dead_letter(request: web.Request) -> web.Response:
    """Discard a dead letter; repeating it changes nothing, another user's or reason's discard is 409."""
    wanted = await read_json(request, DISCARD)
    dead_letter = DeadLetterId(request.match_info["dead_letter_id"])
    discard = Discard(by=principal(request).subject, at=SystemClock().now(), reason=wanted.reason)
    stands = await request.app[ADAPTERS].bin.discard(dead_letter, discard)
    if stands is not None and (stands.by, stands.reason) != (discard.by, discard.reason):
        raise ApiError(ErrorCode.DEAD_LETTER_DISCARDED, f"{stands.by} has discarded it: {stands.reason}")
    return await _dead_letter_response(request, dead_letter)


async def _dead_letter_response(request: web.Request, dead_letter_id: str) -> web.Response:
    dead_letter = await request.app[ADAPTERS].dead_letters.get(dead_letter_id)
    if dead_letter is None:
        raise ApiError(ErrorCode.NOT_FOUND, "there is no such dead letter")
    return json_response(dead_letter, headers=PRIVATE)


async def list_dead_letters(request: web.Request) -> web.Response:
    """Return a page of dead letters, newest first."""
    query = read_query(request, DEAD_LETTER_QUERY)
    matching = DeadLetterFilter(
        state=query.state,
        reason=query.reason,
        tracking_number=query.tracking_number,
        recorded=period_of(query.start, query.end, name_of_end="to"),
    )
    listing = listing_of(query, matching)
    page = await request.app[ADAPTERS].dead_letters.page(matching, listing.window)
    return page_response(request, page, listing)
