"""How reading shipments and events is described."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from domain.errors import ErrorCode
from httpkit.identifiers import EVENT_IN_PATH, IN_PATH
from httpkit.operations import Key, Operation, Parameter, Reply, json_content
from query_api.contract import samples
from query_api.contract.replies import Event, Shipment, ShipmentPage
from query_api.pages import SHIPMENT_QUERY

IF_NONE_MATCH: Final = Parameter(
    "If-None-Match",
    "header",
    "The `ETag` of an earlier answer: 304 without a body if nothing has changed since.",
    TypeAdapter(Annotated[str, Field(pattern=r'^"v[0-9]{1,9}"$')]),
    '"v1"',
)

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("GET", "/events/{event_id}"): Operation(
        name="getEvent",
        tag="events",
        summary="What became of an event",
        description=(
            "Producers see what they sent, clients the events of their shipments. 404 with `Retry-After` as "
            "long as the event has not been processed."
        ),
        parameters=(EVENT_IN_PATH,),
        replies={
            200: Reply(
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
        description="Newest first. A client sees its own.",
        query=SHIPMENT_QUERY,
        query_examples={"status": "in_transit", "client_id": "client_001", "limit": 10},
        replies={
            200: Reply(
                "A page of shipments.",
                json_content(TypeAdapter(ShipmentPage), one=samples.page_of(samples.SHIPMENT)),
            ),
        },
    ),
    ("GET", "/shipments/{tracking_number}"): Operation(
        name="getShipment",
        tag="shipments",
        summary="Where a shipment is, and has been",
        parameters=(IN_PATH, IF_NONE_MATCH),
        replies={
            200: Reply(
                "The shipment with its history.",
                json_content(TypeAdapter(Shipment), picked_up=samples.SHIPMENT),
                headers=("ETag", "Cache-Control"),
            ),
            304: Reply("Nothing has changed.", headers=("ETag", "Cache-Control")),
        },
        errors=(ErrorCode.SHIPMENT_NOT_FOUND,),
    ),
}
