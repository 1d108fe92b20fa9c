"""Descriptions of deliveries and replays."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from httpkit.openapi.operations import Key, Link, Operation, ResponseSpec, json_content
from httpkit.openapi.pagination import cursor_page_of
from httpkit.response.error_codes import ErrorCode
from webhooks.openapi import samples
from webhooks.openapi.endpoint_operations import TAG
from webhooks.openapi.parameters import DELIVERY_IN_PATH, ENDPOINT_IN_PATH, REPLAY_IN_PATH
from webhooks.openapi.response_models import DeliveryPage, WebhookDelivery, WebhookReplay
from webhooks.schemas.deliveries import DELIVERY_QUERY, NEW_REPLAY

_PRIVATE: Final = ("Cache-Control",)
_DELIVERY: Final = TypeAdapter(WebhookDelivery)
_REPLAY: Final = TypeAdapter(WebhookReplay)
_FOLLOW: Final = {"endpoint_id": "$request.path.endpoint_id", "replay_id": "$response.body#/id"}

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("GET", "/webhooks/{endpoint_id}/deliveries"): Operation(
        name="listWebhookDeliveries",
        tag=TAG,
        summary="List the deliveries of an endpoint",
        description=(
            "Newest first, each with its last attempt. `from` and `to` are about its creation. Deliveries "
            "are kept for 30 days, held ones for 7."
        ),
        parameters=(ENDPOINT_IN_PATH,),
        query=DELIVERY_QUERY,
        query_examples={"state": "failed", "type": "shipment.delivered", "limit": 10},
        responses={
            200: ResponseSpec(
                "A page of deliveries.",
                json_content(TypeAdapter(DeliveryPage), one=cursor_page_of(samples.LISTED_DELIVERY)),
                headers=("Link", "Cache-Control"),
            )
        },
        errors=(ErrorCode.WEBHOOK_NOT_FOUND,),
    ),
    ("GET", "/webhooks/{endpoint_id}/deliveries/{delivery_id}"): Operation(
        name="getWebhookDelivery",
        tag=TAG,
        summary="Get a delivery with its attempts and its body",
        parameters=(ENDPOINT_IN_PATH, DELIVERY_IN_PATH),
        responses={
            200: ResponseSpec(
                "The delivery.", json_content(_DELIVERY, pending=samples.DELIVERY), headers=_PRIVATE
            )
        },
        errors=(ErrorCode.WEBHOOK_NOT_FOUND, ErrorCode.DELIVERY_NOT_FOUND),
    ),
    ("POST", "/webhooks/{endpoint_id}/deliveries/{delivery_id}/retry"): Operation(
        name="retryWebhookDelivery",
        tag=TAG,
        summary="Send a delivery again",
        description=(
            "Begins its schedule again, whatever has become of it; the first attempt is made at once. A held "
            "delivery is sent by a replay only."
        ),
        parameters=(ENDPOINT_IN_PATH, DELIVERY_IN_PATH),
        responses={
            202: ResponseSpec(
                "The delivery is due.", json_content(_DELIVERY, pending=samples.DELIVERY), headers=_PRIVATE
            )
        },
        errors=(
            ErrorCode.WEBHOOK_NOT_FOUND,
            ErrorCode.DELIVERY_NOT_FOUND,
            ErrorCode.DELIVERY_HELD,
            ErrorCode.WEBHOOK_PAUSED,
        ),
    ),
    ("POST", "/webhooks/{endpoint_id}/replays"): Operation(
        name="replayWebhookDeliveries",
        tag=TAG,
        summary="Send the deliveries of a period again",
        description=(
            "Those that were created from `from` until before `to`, and are in one of `states`. Each keeps "
            "its `webhook-id`. At most three replays of an endpoint run at once."
        ),
        parameters=(ENDPOINT_IN_PATH,),
        body=json_content(
            NEW_REPLAY,
            outage={"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"},
            some={
                "from": "2026-11-01T00:00:00Z",
                "to": "2026-11-02T00:00:00Z",
                "states": ["failed", "held", "delivered"],
                "types": ["shipment.delivered"],
            },
        ),
        responses={
            202: ResponseSpec(
                "The replay is recorded, and survives a crash; `Location` is where to follow it.",
                json_content(_REPLAY, running=samples.REPLAY | {"matched": 0, "sent": 0, "failed": 0}),
                headers=("Location", "Cache-Control"),
                links={"follow": Link("getWebhookReplay", _FOLLOW)},
            )
        },
        errors=(ErrorCode.WEBHOOK_NOT_FOUND, ErrorCode.WEBHOOK_PAUSED, ErrorCode.WEBHOOK_LIMIT_REACHED),
    ),
    ("GET", "/webhooks/{endpoint_id}/replays/{replay_id}"): Operation(
        name="getWebhookReplay",
        tag=TAG,
        summary="Get how far a replay has come",
        description="It is `done` when none of its deliveries is pending any more.",
        parameters=(ENDPOINT_IN_PATH, REPLAY_IN_PATH),
        responses={
            200: ResponseSpec("The replay.", json_content(_REPLAY, running=samples.REPLAY), headers=_PRIVATE)
        },
        errors=(ErrorCode.WEBHOOK_NOT_FOUND, ErrorCode.REPLAY_NOT_FOUND),
    ),
}
