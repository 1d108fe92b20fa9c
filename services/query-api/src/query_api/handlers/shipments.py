"""Handlers of GET /shipments, /shipments/{tracking_number} and its stream."""

from typing import Any

from aiohttp import hdrs, web
from aiohttp.helpers import ETAG_ANY

from domain.access.permissions import Principal, owns
from domain.errors import TooMuchToRead
from domain.ports.queries import ShipmentFilter, scope_of
from domain.shipments.tracking_number import read_tracking_number
from httpkit.listing.list_pages import PRIVATE, invalid_parameter, listing_of, page_response, period_of
from httpkit.listing.list_queries import NO_QUERY
from httpkit.middleware.auth import principal
from httpkit.request.bodies import read_query
from httpkit.request.preconditions import CODINGS, matched_versions, precondition_failed, version_tag
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from httpkit.response.json_responses import json_response
from httpkit.streaming.shipment_streams import SHIPMENT_STREAMS
from query_api.adapters import ADAPTERS
from query_api.not_found import absent_shipment
from query_api.schemas.list_queries import SHIPMENT_QUERY, ShipmentQuery


async def get_shipment(request: web.Request) -> web.Response:
    """Return a shipment with its history; 304 if the caller has this version."""
    tracking_number = read_tracking_number(request.match_info["tracking_number"])
    read_query(request, NO_QUERY)
    shipments, scope = request.app[ADAPTERS].shipments, scope_of(principal(request))
    shipment = await shipments.get(tracking_number, scope)
    if shipment is None:
        raise await absent_shipment(shipments, tracking_number, scope)
    return _conditional_response(request, shipment)


async def stream_shipment(request: web.Request) -> web.StreamResponse:
    """Stream the status of a shipment and its changes, for a minute at most."""
    tracking_number = read_tracking_number(request.match_info["tracking_number"])
    read_query(request, NO_QUERY)
    streams, scope = request.app[SHIPMENT_STREAMS], scope_of(principal(request))
    response = await streams.serve(request, tracking_number, scope)
    if response is None:
        raise await absent_shipment(request.app[ADAPTERS].shipments, tracking_number, scope)
    return response


async def list_shipments(request: web.Request) -> web.Response:
    """Return a page of shipments, newest first; a client sees its own."""
    query = read_query(request, SHIPMENT_QUERY)
    matching = _matching(query, principal(request))
    listing = listing_of(query, matching)
    try:
        page = await request.app[ADAPTERS].shipments.page(matching, listing.window)
    except TooMuchToRead as error:
        name = "updated_to" if query.updated_from is None else "updated_from"
        raise invalid_parameter(name, str(error)) from error
    return page_response(request, page, listing)


def _matching(query: ShipmentQuery, asking: Principal) -> ShipmentFilter:
    if query.client_id is not None and not owns(asking, query.client_id):
        raise ApiError(ErrorCode.FORBIDDEN, "these shipments are not yours")
    return ShipmentFilter(
        client_id=scope_of(asking).client_id or query.client_id,
        statuses=query.status,
        prefix=query.tracking_number,
        created=period_of(query.created_from, query.created_to, name_of_end="created_to"),
        updated=period_of(query.updated_from, query.updated_to, name_of_end="updated_to"),
        reference=query.reference,
    )


def _conditional_response(request: web.Request, shipment: dict[str, Any]) -> web.Response:
    version: int = shipment["version"]
    wanted = matched_versions(request)
    if wanted is not None and version not in wanted:
        raise precondition_failed("the shipment has another version than If-Match asks for")
    headers: dict[str, str] = {hdrs.ETAG: version_tag(version), **PRIVATE}
    known = {each.value for each in request.if_none_match or ()}
    # A proxy in front may leave its suffix on, in a list of tags or after `W/`.
    tag = version_tag(version).strip('"')
    if known & {ETAG_ANY, tag, *(f"{tag}-{coding}" for coding in CODINGS)}:
        return web.Response(status=web.HTTPNotModified.status_code, headers=headers)
    return json_response(shipment, headers=headers)
