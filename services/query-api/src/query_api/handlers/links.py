"""Handlers of /shipments/{tracking_number}/links: links to a shipment's page, each shown once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from aiohttp import hdrs, web

from domain.shipments.links import LinkId, ShipmentLink, link_url
from domain.shipments.tracking_number import TrackingNumber, read_tracking_number
from httpkit.listing.list_queries import NO_QUERY
from httpkit.middleware.auth import principal
from httpkit.request.bodies import read_query
from httpkit.request.origins import public_origin
from httpkit.response.json_responses import json_response
from query_api.use_cases.links import LINKS

_UNCACHED: Final[Mapping[str, str]] = {hdrs.CACHE_CONTROL: "no-store"}


async def create_link(request: web.Request) -> web.Response:
    """Create a link and return its address, this once."""
    links, origin = request.app[LINKS], public_origin(request)
    link, token, expires_at = await links.create(_number(request), by=principal(request))
    url = link_url(origin, link.tracking_number, token)
    body = {"id": link.link_id, "url": url, "expires_at": expires_at}
    return json_response(body, status=201, headers=_UNCACHED)


async def list_links(request: web.Request) -> web.Response:
    """Return the links of a shipment, oldest first, without their tokens."""
    read_query(request, NO_QUERY)
    links, expires_at = await request.app[LINKS].of_shipment(_number(request), by=principal(request))
    return json_response({"data": [_to_json(link, expires_at) for link in links]}, headers=_UNCACHED)


async def delete_link(request: web.Request) -> web.Response:
    """Delete a link; it shows no more than the public page from now on."""
    link_id = LinkId(request.match_info["link_id"])
    await request.app[LINKS].delete(_number(request), link_id, by=principal(request))
    return web.Response(status=web.HTTPNoContent.status_code, headers=_UNCACHED)


def _number(request: web.Request) -> TrackingNumber:
    return read_tracking_number(request.match_info["tracking_number"])


def _to_json(link: ShipmentLink, expires_at: datetime | None) -> dict[str, Any]:
    return {
        "id": link.link_id,
        "created_by": link.created_by,
        "created_at": link.created_at,
        "expires_at": expires_at,
    }
