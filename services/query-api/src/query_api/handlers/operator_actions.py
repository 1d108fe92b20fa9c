"""Handler of /operator-actions."""

from aiohttp import web

from domain.ports.queries import ActionFilter
from httpkit.listing.list_pages import listing_of, page_response, period_of
from httpkit.request.bodies import read_query
from query_api.adapters import ADAPTERS
from query_api.schemas.list_queries import ACTION_QUERY


async def list_actions(request: web.Request) -> web.Response:
    """Return a page of operator actions, newest first."""
    query = read_query(request, ACTION_QUERY)
    matching = ActionFilter(
        action=query.action,
        target=query.target,
        by=query.by,
        done=period_of(query.start, query.end, name_of_end="to"),
    )
    listing = listing_of(query, matching)
    return page_response(request, await request.app[ADAPTERS].actions.page(matching, listing.window), listing)
