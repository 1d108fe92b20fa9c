"""Handlers of /webhooks: endpoints, their secrets and their test."""

from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web

from domain.access.permissions import Principal, client_reach, owns
from httpkit.listing.list_pages import PRIVATE, listing_of, page_response
from httpkit.listing.list_queries import NO_QUERY
from httpkit.middleware.auth import principal
from httpkit.request.bodies import read_json, read_query
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from httpkit.response.json_responses import json_response
from webhooks.adapters import ADAPTERS
from webhooks.handlers.shapes import attempt_to_json, endpoint_to_json
from webhooks.schemas.endpoints import (
    BODY_LIMIT,
    ENDPOINT_CHANGE,
    ENDPOINT_QUERY,
    NEW_ENDPOINT,
    ROTATION,
    EndpointQuery,
    SecretRotation,
)
from webhooks.stores.endpoints import EndpointFilter
from webhooks.use_cases.services import SERVICES

_NO_STORE: Final[Mapping[str, str]] = {hdrs.CACHE_CONTROL: "no-store"}


async def create_endpoint(request: web.Request) -> web.Response:
    """Create an endpoint and return it with its secret, this once."""
    wanted = await read_json(request, NEW_ENDPOINT, limit=BODY_LIMIT)
    endpoint, secret = await request.app[SERVICES].endpoints.create(wanted, by=principal(request))
    return json_response(
        endpoint_to_json(endpoint) | {"secret": secret},
        status=201,
        headers={hdrs.LOCATION: f"/webhooks/{endpoint.endpoint_id}", **_NO_STORE},
    )


async def list_endpoints(request: web.Request) -> web.Response:
    """Return a page of endpoints, newest first; a client sees its own."""
    query = read_query(request, ENDPOINT_QUERY)
    matching = _matching(query, principal(request))
    listing = listing_of(query, matching)
    page = await request.app[ADAPTERS].endpoints.page(matching, listing.window)
    return page_response(request, page, listing)


def _matching(query: EndpointQuery, asking: Principal) -> EndpointFilter:
    if query.client_id is not None and not owns(asking, query.client_id):
        raise ApiError(ErrorCode.FORBIDDEN, "these endpoints are not yours")
    reach = client_reach(asking)
    return EndpointFilter(client_id=query.client_id if reach is None else reach, state=query.state)


async def get_endpoint(request: web.Request) -> web.Response:
    """Return an endpoint, without its secrets."""
    read_query(request, NO_QUERY)
    endpoint = await request.app[SERVICES].endpoints.get(endpoint_id_of(request), by=principal(request))
    return json_response(endpoint_to_json(endpoint), headers=PRIVATE)


async def change_endpoint(request: web.Request) -> web.Response:
    """Change an endpoint, pause or resume it."""
    change = await read_json(request, ENDPOINT_CHANGE, limit=BODY_LIMIT)
    endpoints = request.app[SERVICES].endpoints
    changed = await endpoints.change(endpoint_id_of(request), change, by=principal(request))
    return json_response(endpoint_to_json(changed), headers=PRIVATE)


async def delete_endpoint(request: web.Request) -> web.Response:
    """Delete an endpoint with its deliveries."""
    await request.app[SERVICES].endpoints.delete(endpoint_id_of(request), by=principal(request))
    return web.Response(status=web.HTTPNoContent.status_code)


async def rotate_secret(request: web.Request) -> web.Response:
    """Give an endpoint a new secret and return it, this once; without a body, with the default grace."""
    wanted = await read_json(request, ROTATION, limit=BODY_LIMIT) if request.body_exists else SecretRotation()
    endpoints = request.app[SERVICES].endpoints
    secret = await endpoints.rotate(endpoint_id_of(request), wanted.seconds, by=principal(request))
    return json_response({"secret": secret}, headers=_NO_STORE)


async def send_test(request: web.Request) -> web.Response:
    """Send a test message to an endpoint, and return how that ended."""
    attempt = await request.app[SERVICES].tests.test(endpoint_id_of(request), by=principal(request))
    return json_response(attempt_to_json(attempt), headers=PRIVATE)


def endpoint_id_of(request: web.Request) -> str:
    """Return the id of the endpoint in the path."""
    return request.match_info["endpoint_id"]
