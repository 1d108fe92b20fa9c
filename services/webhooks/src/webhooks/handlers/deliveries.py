"""Handlers of /webhooks/{endpoint_id}/deliveries and /replays."""

from dataclasses import replace
from typing import Final

from aiohttp import hdrs, web

from domain.webhooks.endpoint import types_wanted
from httpkit.listing.list_pages import PRIVATE, listing_of, page_response, period_of
from httpkit.listing.list_queries import NO_QUERY
from httpkit.middleware.auth import principal
from httpkit.request.bodies import read_json, read_query
from httpkit.response.json_responses import json_response
from webhooks.adapters import ADAPTERS
from webhooks.handlers.endpoints import endpoint_id_of
from webhooks.handlers.shapes import delivery_to_json, replay_to_json
from webhooks.schemas.deliveries import DELIVERY_QUERY, NEW_REPLAY
from webhooks.schemas.endpoints import BODY_LIMIT
from webhooks.stores.delivery_reader import DeliveryFilter
from webhooks.stores.replays import ReplayProgress
from webhooks.use_cases.services import SERVICES

_NOTHING_YET: Final = ReplayProgress(matched=0, sent=0, failed=0)


async def list_deliveries(request: web.Request) -> web.Response:
    """Return a page of the deliveries of an endpoint, newest first, each with its last attempt."""
    query = read_query(request, DELIVERY_QUERY)
    endpoint_id = endpoint_id_of(request)
    await request.app[SERVICES].endpoints.get(endpoint_id, by=principal(request))
    matching = DeliveryFilter(
        endpoint_id=endpoint_id,
        state=query.state,
        types=() if query.type is None else tuple(sorted(types_wanted([query.type]))),
        tracking_number=query.tracking_number,
        created=period_of(query.start, query.end, name_of_end="to"),
    )
    listing = listing_of(query, matching)
    page = await request.app[ADAPTERS].deliveries.page(matching, listing.window)
    shown = replace(page, data=[delivery_to_json(delivery) for delivery in page.data])
    return page_response(request, shown, listing)


async def get_delivery(request: web.Request) -> web.Response:
    """Return a delivery with its attempts and its body."""
    read_query(request, NO_QUERY)
    deliveries, delivery_id = request.app[SERVICES].deliveries, request.match_info["delivery_id"]
    delivery = await deliveries.get(endpoint_id_of(request), delivery_id, by=principal(request))
    return json_response(delivery_to_json(delivery), headers=PRIVATE)


async def retry_delivery(request: web.Request) -> web.Response:
    """Begin the schedule of a delivery again: 202, the first attempt is made at once."""
    deliveries, delivery_id = request.app[SERVICES].deliveries, request.match_info["delivery_id"]
    await deliveries.retry(endpoint_id_of(request), delivery_id, by=principal(request))
    delivery = await deliveries.get(endpoint_id_of(request), delivery_id, by=principal(request))
    return json_response(delivery_to_json(delivery), status=202, headers=PRIVATE)


async def start_replay(request: web.Request) -> web.Response:
    """Request that deliveries are sent again: 202, `Location` is where to read how far that has come."""
    wanted = await read_json(request, NEW_REPLAY, limit=BODY_LIMIT)
    endpoint_id = endpoint_id_of(request)
    replay = await request.app[SERVICES].deliveries.replay(endpoint_id, wanted, by=principal(request))
    location = f"/webhooks/{endpoint_id}/replays/{replay.replay_id}"
    body = replay_to_json(replay, _NOTHING_YET)
    return json_response(body, status=202, headers={hdrs.LOCATION: location, **PRIVATE})


async def get_replay(request: web.Request) -> web.Response:
    """Return a replay and how far it has come."""
    read_query(request, NO_QUERY)
    deliveries, replay_id = request.app[SERVICES].deliveries, request.match_info["replay_id"]
    replay, progress = await deliveries.get_replay(endpoint_id_of(request), replay_id, by=principal(request))
    return json_response(replay_to_json(replay, progress), headers=PRIVATE)
