"""GET /dead-letters and /dead-letters/{id}: records that could not be applied, for those who repair."""

from aiohttp import web

from domain.errors import ErrorCode
from domain.reading import DeadLetterFilter
from httpkit.bodies import read_query
from httpkit.errors import ApiError
from httpkit.responses import json_response
from query_api.adapters import ADAPTERS
from query_api.listing import PRIVATE, listing_of, page_response, period_of
from query_api.pages import DEAD_LETTER_QUERY, NO_QUERY


async def get_dead_letter(request: web.Request) -> web.Response:
    """Answer with one dead letter."""
    read_query(request, NO_QUERY)
    letter = await request.app[ADAPTERS].dead_letters.get(request.match_info["dead_letter_id"])
    if letter is None:
        raise ApiError(ErrorCode.NOT_FOUND, "there is no such dead letter")
    return json_response(letter, headers=PRIVATE)


async def list_dead_letters(request: web.Request) -> web.Response:
    """Answer with a page of dead letters, newest first."""
    query = read_query(request, DEAD_LETTER_QUERY)
    matching = DeadLetterFilter(
        reason=query.reason,
        tracking_number=query.tracking_number,
        recorded=period_of(query.start, query.end, name_of_end="to"),
    )
    listing = listing_of(query, matching)
    page = await request.app[ADAPTERS].dead_letters.page(matching, listing.window)
    return page_response(request, page, listing)
