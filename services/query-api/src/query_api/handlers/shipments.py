"""GET /shipments and /shipments/{tracking_number}: where shipments are, and have been."""

from typing import Any

from aiohttp import hdrs, web
from aiohttp.helpers import ETAG_ANY

from domain.errors import ErrorCode
from domain.permissions import Principal, Role, owns
from domain.ports import ShipmentFilter
from domain.tracking_number import parse_tracking_number
from httpkit.auth import principal
from httpkit.bodies import read_query
from httpkit.errors import ApiError
from httpkit.responses import json_response
from query_api.adapters import ADAPTERS
from query_api.pages import SHIPMENT_QUERY, ShipmentQuery, page_body


async def get_shipment(request: web.Request) -> web.Response:
    """Answer with a shipment and its history; 304 if the caller has this version."""
    tracking_number = parse_tracking_number(request.match_info["tracking_number"])
    shipment = await request.app[ADAPTERS].shipments.get(tracking_number)
    if shipment is None:
        raise ApiError(ErrorCode.SHIPMENT_NOT_FOUND, f"there is no shipment {tracking_number}")
    if not owns(principal(request), shipment["client_id"]):
        raise ApiError(ErrorCode.FORBIDDEN, "this shipment is not yours")
    return _unless_known(request, shipment)


async def list_shipments(request: web.Request) -> web.Response:
    """Answer with a page of shipments, newest first; a client sees its own."""
    query = read_query(request, SHIPMENT_QUERY)
    matching = ShipmentFilter(client_id=_visible_client(principal(request), query), status=query.status)
    found, total = await request.app[ADAPTERS].shipments.page(
        matching, limit=query.limit, offset=query.offset
    )
    return json_response(page_body(found, total, query))


def _visible_client(asking: Principal, query: ShipmentQuery) -> str | None:
    if query.client_id is not None and not owns(asking, query.client_id):
        raise ApiError(ErrorCode.FORBIDDEN, "these shipments are not yours")
    return query.client_id if asking.role is Role.ADMIN else asking.client_id


def _unless_known(request: web.Request, shipment: dict[str, Any]) -> web.Response:
    tag = f"v{shipment['version']}"
    # Private and to be asked for again each time: what is cached must not outlive a token or a status.
    headers: dict[str, str] = {hdrs.ETAG: f'"{tag}"', hdrs.CACHE_CONTROL: "private, no-cache"}
    known = request.if_none_match or ()
    if any(each.value in (tag, ETAG_ANY) for each in known):
        return web.Response(status=web.HTTPNotModified.status_code, headers=headers)
    return json_response(shipment, headers=headers)
