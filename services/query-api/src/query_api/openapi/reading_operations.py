"""How reading shipments and events is described."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from domain.errors import ErrorCode
from httpkit.openapi.identifiers import DEAD_LETTER_IN_PATH, EVENT_IN_PATH, IN_PATH
from httpkit.openapi.operations import TEXT, Key, Operation, Parameter, ResponseSpec, json_content
from query_api.openapi import samples
from query_api.openapi.answers import DeadLetter, DeadLetterPage, Event, EventPage, Shipment, ShipmentPage
from query_api.schemas.bodies import DISCARD
from query_api.schemas.list_queries import DEAD_LETTER_QUERY, EVENT_QUERY, SHIPMENT_QUERY

IF_NONE_MATCH: Final = Parameter(
    "If-None-Match",
    "header",
    "The `ETag` of an earlier answer: 304 without a body if nothing has changed since.",
    TEXT,
    '"v1"',
)

IF_MATCH: Final = Parameter(
    "If-Match",
    "header",
    "The `ETag` that is wanted: 412 if the shipment has another version now.",
    TEXT,
    '"v1"',
)
_LISTED: Final = ("Link", "Cache-Control")

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("GET", "/events/{event_id}"): Operation(
        name="getEvent",
        tag="events",
        summary="What became of an event",
        description=(
            "Producers see what they sent, clients the events of their shipments. Who sent only a payload "
            "that does not stand sees that one, and why. 404 with `Retry-After` as long as the event has not "
            "been processed."
        ),
        parameters=(EVENT_IN_PATH,),
        replies={
            200: ResponseSpec(
                "Its outcome.",
                json_content(TypeAdapter(Event), applied=samples.APPLIED, rejected=samples.REJECTED),
            ),
        },
        errors=(ErrorCode.EVENT_NOT_FOUND,),
    ),
    ("GET", "/shipments"): Operation(
        name="listShipments",
        tag="shipments",
        summary="Which shipments there are",
        description=(
            "Newest first; an admin's list by `tracking_number` without `client_id`: by number. "
            "A client sees its own. Follow `next_cursor` or `Link` through long lists: shipments that are "
            "added meanwhile move nothing. Each `…_from` is inside of what is asked for, each `…_to` is not. "
            "`updated_from` and `updated_to` are 400 where the other filters leave more than 20,000 "
            "shipments. A `total` of 10,000 and more may be half a minute old."
        ),
        query=SHIPMENT_QUERY,
        query_examples={"status": ["in_transit"], "client_id": "client_001", "limit": 10},
        replies={
            200: ResponseSpec(
                "A page of shipments.",
                json_content(TypeAdapter(ShipmentPage), one=samples.cursor_page_of(samples.SHIPMENT)),
                headers=_LISTED,
            ),
        },
        errors=(ErrorCode.FORBIDDEN,),
    ),
    ("GET", "/shipments/{tracking_number}/events"): Operation(
        name="listShipmentEvents",
        tag="events",
        summary="What became of all events of a shipment",
        description=(
            "The audit trail, oldest first: rejected events too, each with how often it was sent. An admin "
            "sees also the events of a shipment that does not exist."
        ),
        parameters=(IN_PATH,),
        query=EVENT_QUERY,
        query_examples={"outcome": "rejected", "limit": 10},
        replies={
            200: ResponseSpec(
                "A page of events.",
                json_content(
                    TypeAdapter(EventPage), two=samples.cursor_page_of(samples.APPLIED, samples.REJECTED)
                ),
                headers=_LISTED,
            ),
        },
        errors=(ErrorCode.SHIPMENT_NOT_FOUND,),
    ),
    ("GET", "/dead-letters"): Operation(
        name="listDeadLetters",
        tag="dead letters",
        summary="Which records could not be applied",
        description="Newest first. `state` says what operators have done about them last.",
        query=DEAD_LETTER_QUERY,
        query_examples={"state": "open", "limit": 10},
        replies={
            200: ResponseSpec(
                "A page of dead letters.",
                json_content(TypeAdapter(DeadLetterPage), one=samples.cursor_page_of(samples.DEAD_LETTER)),
                headers=_LISTED,
            ),
        },
    ),
    ("GET", "/dead-letters/{dead_letter_id}"): Operation(
        name="getDeadLetter",
        tag="dead letters",
        summary="A record that could not be applied",
        parameters=(DEAD_LETTER_IN_PATH,),
        replies={
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
        summary="Say that nobody needs a dead letter any more",
        description=(
            "Takes it off the list of open ones, and says why. The record stays in its topic and can be sent "
            "again all the same. Saying the same twice changes nothing; to give another reason for what is "
            "discarded already, or as another user, is 409."
        ),
        parameters=(DEAD_LETTER_IN_PATH,),
        body=json_content(DISCARD, test={"reason": "a scanner's self-test"}),
        replies={
            200: ResponseSpec(
                "The dead letter, discarded.",
                json_content(TypeAdapter(DeadLetter), discarded=samples.DISCARDED_LETTER),
                headers=("Cache-Control",),
            ),
        },
        errors=(ErrorCode.NOT_FOUND, ErrorCode.DEAD_LETTER_DISCARDED),
    ),
    ("GET", "/shipments/{tracking_number}"): Operation(
        name="getShipment",
        tag="shipments",
        summary="Where a shipment is, and has been",
        parameters=(IN_PATH, IF_MATCH, IF_NONE_MATCH),
        replies={
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
