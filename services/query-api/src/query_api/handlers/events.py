"""Handlers of GET /events/{event_id} and GET /shipments/{tracking_number}/events."""

from functools import partial

from aiohttp import web

from domain.ports.core import Document, EventReader
from domain.ports.queries import EventFilter, Scope, Window, scope_of
from domain.processing.batch import Outcome
from domain.shipments.event_identity import EventId, tracking_number_of
from domain.shipments.tracking_number import TrackingNumber, read_tracking_number
from httpkit.listing.list_pages import PRIVATE, listing_of, page_response, period_of
from httpkit.listing.list_queries import NO_QUERY
from httpkit.middleware.auth import principal
from httpkit.request.bodies import read_query
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import RETRY_SOON, ApiError
from httpkit.response.json_responses import json_response
from query_api.adapters import ADAPTERS, Adapters
from query_api.not_found import absent_shipment, not_found_or_forbidden
from query_api.schemas.list_queries import EVENT_QUERY, Ending
from query_api.sender_view import as_sent_by


async def get_event(request: web.Request) -> web.Response:
    """Return an event and its outcome; 404 with `Retry-After` as long as there is none.

    The sender sees its event also outside its scope: a change of another client's shipment, or a payload that
    is not the recorded one.
    """
    event_id = EventId(request.match_info["event_id"])
    tracking_number_of(event_id)  # a malformed event id is 404 without a query, and without Retry-After
    read_query(request, NO_QUERY)
    events, asking = request.app[ADAPTERS].events, principal(request)
    scope = scope_of(asking)
    event = await events.get(event_id, scope) or await _sent(events, event_id, asking.subject)
    if event is None:
        message = "no such event, or it has not been processed yet"
        absent = ApiError(ErrorCode.EVENT_NOT_FOUND, message, headers=RETRY_SOON)
        raise await not_found_or_forbidden(absent, scope, partial(events.exists_outside, event_id))
    return json_response(event, headers=PRIVATE)


async def _sent(events: EventReader, event_id: EventId, sender: str) -> Document | None:
    event = await events.get(event_id)
    if event is None or event["submitted_by"] == sender:
        return event
    return as_sent_by(sender, event)


async def list_shipment_events(request: web.Request) -> web.Response:
    """Return a page of a shipment's audit trail, oldest first."""
    tracking_number = read_tracking_number(request.match_info["tracking_number"])
    query = read_query(request, EVENT_QUERY)
    scope = scope_of(principal(request))
    matching = EventFilter(
        tracking_number=tracking_number,
        client_id=scope.client_id,
        outcome=None if query.outcome in (None, Ending.CONFLICT) else Outcome(query.outcome),
        conflicting=query.outcome is Ending.CONFLICT,
        status=query.status,
        source=query.source,
        period=period_of(query.start, query.end, name_of_end="to"),
    )
    listing = listing_of(query, matching)
    adapters = request.app[ADAPTERS]
    await _require_readable(adapters, tracking_number, scope)
    return page_response(request, await adapters.events.page(matching, listing.window), listing)


async def _require_readable(adapters: Adapters, tracking_number: TrackingNumber, scope: Scope) -> None:
    """Require that the shipment is in scope; for an admin it is enough that it has events."""
    shipments = adapters.shipments
    if await shipments.exists(tracking_number, scope):
        return
    unfiltered = EventFilter(tracking_number=tracking_number)
    if scope.client_id is not None or not (await adapters.events.page(unfiltered, Window(limit=1))).total:
        raise await absent_shipment(shipments, tracking_number, scope)
