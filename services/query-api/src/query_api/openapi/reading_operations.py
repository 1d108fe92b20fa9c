"""Descriptions of the reads of shipments, events and dead letters."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from httpkit.openapi.identifiers import DEAD_LETTER_IN_PATH, EVENT_IN_PATH, IN_PATH
from httpkit.openapi.operations import TEXT, Content, Key, Operation, Parameter, ResponseSpec, json_content
from httpkit.openapi.pagination import cursor_page_of
from httpkit.response.error_codes import ErrorCode
from httpkit.streaming.event_stream import MEDIA_TYPE as EVENT_STREAM
from query_api.openapi import samples
from query_api.openapi.response_models import (
    DeadLetter,
    DeadLetterPage,
    Event,
    EventPage,
    Shipment,
    ShipmentPage,
)
from query_api.schemas.bodies import DISCARD
from query_api.schemas.list_queries import DEAD_LETTER_QUERY, EVENT_QUERY, SHIPMENT_QUERY

IF_NONE_MATCH: Final = Parameter(
    "If-None-Match",
    "header",
    "The `ETag` of an earlier response: 304 without a body if nothing has changed since.",
    TEXT,
    '"v1"',
)

IF_MATCH: Final = Parameter(
    "If-Match",
    "header",
    "The expected `ETag`: 412 if the shipment has another version now.",
    TEXT,
    '"v1"',
)
LAST_EVENT_ID: Final = Parameter(
    "Last-Event-ID",
    "header",
    "The `id` of the last event that was received: the version that the client has.",
    TEXT,
    "2",
)
_LISTED: Final = ("Link", "Cache-Control")

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("GET", "/events/{event_id}"): Operation(
        name="getEvent",
        tag="events",
        summary="Get the outcome of an event",
        description=(
            "Producers see the events they sent, clients those of their shipments. A caller whose payload "
            "was not the one recorded sees its own payload and the reason. 404 with `Retry-After` as long as "
            "the event has not been processed."
        ),
        parameters=(EVENT_IN_PATH,),
        responses={
            200: ResponseSpec(
                "The event and its outcome.",
                json_content(TypeAdapter(Event), applied=samples.APPLIED, rejected=samples.REJECTED),
            ),
        },
        errors=(ErrorCode.EVENT_NOT_FOUND,),
    ),
    ("GET", "/shipments"): Operation(
        name="listShipments",
        tag="shipments",
        summary="List shipments",
        description=(
            "Newest first; an admin's list by `tracking_number` without `client_id` is ordered by number. "
            "A client sees its own shipments. Follow `next_cursor` or `Link` through long lists: shipments "
            "added meanwhile do not shift the pages. Each `…_from` is inclusive, each `…_to` exclusive. "
            "`updated_from` and `updated_to` return 400 if the other filters match more than 20,000 "
            "shipments. A `total` of 10,000 or more may be half a minute old."
        ),
        query=SHIPMENT_QUERY,
        query_examples={"status": ["in_transit"], "client_id": "client_001", "limit": 10},
        responses={
            200: ResponseSpec(
                "A page of shipments.",
                json_content(TypeAdapter(ShipmentPage), one=cursor_page_of(samples.SHIPMENT)),
                headers=_LISTED,
            ),
        },
        errors=(ErrorCode.FORBIDDEN,),
    ),
    ("GET", "/shipments/{tracking_number}/events"): Operation(
        name="listShipmentEvents",
        tag="events",
        summary="List the events of a shipment",
        description=(
            "The audit trail, oldest first, with rejected events, and how often each event was sent. A "
            "retraction follows the event that it takes back, whatever its own time. An admin also sees the "
            "events of a shipment that does not exist."
        ),
        parameters=(IN_PATH,),
        query=EVENT_QUERY,
        query_examples={"outcome": "rejected", "limit": 10},
        responses={
            200: ResponseSpec(
                "A page of events.",
                json_content(TypeAdapter(EventPage), two=cursor_page_of(samples.APPLIED, samples.REJECTED)),
                headers=_LISTED,
            ),
        },
        errors=(ErrorCode.SHIPMENT_NOT_FOUND,),
    ),
    ("GET", "/dead-letters"): Operation(
        name="listDeadLetters",
        tag="dead letters",
        summary="List dead letters",
        description="Records that could not be applied, newest first. `state` is an operator's last action.",
        query=DEAD_LETTER_QUERY,
        query_examples={"state": "open", "limit": 10},
        responses={
            200: ResponseSpec(
                "A page of dead letters.",
                json_content(TypeAdapter(DeadLetterPage), one=cursor_page_of(samples.DEAD_LETTER)),
                headers=_LISTED,
            ),
        },
    ),
    ("GET", "/dead-letters/{dead_letter_id}"): Operation(
        name="getDeadLetter",
        tag="dead letters",
        summary="Get a dead letter",
        parameters=(DEAD_LETTER_IN_PATH,),
        responses={
            200: ResponseSpec(
                "The dead letter.",
                json_content(TypeAdapter(DeadLetter), unreadable=samples.DEAD_LETTER),
                headers=("Cache-Control",),
            ),
        },
        errors=(ErrorCode.NOT_FOUND,),
    ),
    ("POST", "/dead-letters/{dead_letter_id}/discard"): Operation(
        name="discardDeadLetter",
        tag="dead letters",
        summary="Discard a dead letter",
        description=(
            "Marks it as discarded, with a reason, so that it is no longer listed as open. The record stays "
            "in its topic and can still be replayed. Repeating the call changes nothing; another reason, or "
            "another user, for a dead letter that is discarded already is 409."
        ),
        parameters=(DEAD_LETTER_IN_PATH,),
        body=json_content(DISCARD, test={"reason": "a scanner's self-test"}),
        responses={
            200: ResponseSpec(
                "The dead letter, discarded.",
                json_content(TypeAdapter(DeadLetter), discarded=samples.DISCARDED_DEAD_LETTER),
                headers=("Cache-Control",),
            ),
        },
        errors=(ErrorCode.NOT_FOUND, ErrorCode.DEAD_LETTER_DISCARDED),
    ),
    ("GET", "/shipments/{tracking_number}/stream"): Operation(
        name="streamShipment",
        tag="shipments",
        summary="Follow a shipment live",
        description=(
            "Server-sent events: the current status at once, unless `Last-Event-ID` names this version or a "
            "later one, then each change; of several that came together only the latest. A comment comes "
            "every 15 seconds. The stream ends by itself within a minute: connect again, with "
            "`Last-Event-ID`, as `EventSource` and its like do. 503 with `Retry-After` if too many streams "
            "are open."
        ),
        parameters=(IN_PATH, LAST_EVENT_ID),
        responses={
            200: ResponseSpec(
                'Each event has the version as its `id`, and `{"version", "current_status"}` as its `data`.',
                {EVENT_STREAM: Content(TEXT, {"in_transit": samples.STREAM})},
                headers=("Cache-Control",),
            ),
        },
        errors=(ErrorCode.SHIPMENT_NOT_FOUND,),
    ),
    ("GET", "/shipments/{tracking_number}"): Operation(
        name="getShipment",
        tag="shipments",
        summary="Get a shipment",
        parameters=(IN_PATH, IF_MATCH, IF_NONE_MATCH),
        responses={
            200: ResponseSpec(
                "The shipment with its history.",
                json_content(TypeAdapter(Shipment), picked_up=samples.SHIPMENT),
                headers=("ETag", "Cache-Control"),
            ),
            304: ResponseSpec("Nothing has changed.", headers=("ETag", "Cache-Control")),
        },
        errors=(ErrorCode.PRECONDITION_FAILED, ErrorCode.SHIPMENT_NOT_FOUND),
    ),
}
