"""Descriptions of the management of endpoints."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from httpkit.openapi.operations import Key, Link, Operation, ResponseSpec, json_content, patch_content
from httpkit.openapi.pagination import cursor_page_of
from httpkit.response.error_codes import ErrorCode
from webhooks.openapi import samples
from webhooks.openapi.parameters import ENDPOINT_IN_PATH
from webhooks.openapi.response_models import NewWebhook, Webhook, WebhookAttempt, WebhookPage, WebhookSecret
from webhooks.schemas.endpoints import ENDPOINT_CHANGE, ENDPOINT_QUERY, NEW_ENDPOINT, ROTATION

TAG: Final = "webhooks"

_PRIVATE: Final = ("Cache-Control",)
_ENDPOINT: Final = TypeAdapter(Webhook)
_MADE: Final = {"endpoint_id": "$response.body#/id"}
_ABSENT: Final = (ErrorCode.WEBHOOK_NOT_FOUND,)

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("GET", "/webhooks"): Operation(
        name="listWebhooks",
        tag=TAG,
        summary="List endpoints",
        description="Newest first. A client sees its own endpoints.",
        query=ENDPOINT_QUERY,
        query_examples={"client_id": "client_001", "state": "active", "limit": 10},
        responses={
            200: ResponseSpec(
                "A page of endpoints.",
                json_content(TypeAdapter(WebhookPage), one=cursor_page_of(samples.ENDPOINT)),
                headers=("Link", "Cache-Control"),
            )
        },
        errors=(ErrorCode.FORBIDDEN,),
    ),
    ("POST", "/webhooks"): Operation(
        name="createWebhook",
        tag=TAG,
        summary="Create an endpoint",
        description=(
            "Changes that are made from now on are sent to the URL, signed as Standard Webhooks has it. The "
            "`secret` that verifies them is shown in this response only. A client creates endpoints for "
            "itself. The URL begins with https:// and leads to a public address: names are resolved, and "
            "judged, when an attempt connects. A client has at most 50 endpoints."
        ),
        body=json_content(
            NEW_ENDPOINT,
            all={"url": "https://erp.example/waybill"},
            some={
                "url": "https://erp.example/waybill",
                "types": ["shipment.delivered", "shipment.checkpoint"],
                "payload": "thin",
                "ordering": "per_shipment",
                "rate_per_s": 50,
                "description": "our ERP",
            },
        ),
        responses={
            201: ResponseSpec(
                "The endpoint, with its secret.",
                json_content(TypeAdapter(NewWebhook), created=samples.CREATED),
                headers=("Location", "Cache-Control"),
                links={
                    name: Link(operation, _MADE)
                    for name, operation in (
                        ("endpoint", "getWebhook"),
                        ("change", "changeWebhook"),
                        ("rotate", "rotateWebhookSecret"),
                        ("deliveries", "listWebhookDeliveries"),
                    )
                },
            )
        },
        errors=(ErrorCode.WEBHOOK_LIMIT_REACHED,),
    ),
    ("GET", "/webhooks/{endpoint_id}"): Operation(
        name="getWebhook",
        tag=TAG,
        summary="Get an endpoint",
        parameters=(ENDPOINT_IN_PATH,),
        responses={
            200: ResponseSpec(
                "The endpoint, without its secret.",
                json_content(_ENDPOINT, endpoint=samples.ENDPOINT),
                headers=_PRIVATE,
            )
        },
        errors=_ABSENT,
    ),
    ("PATCH", "/webhooks/{endpoint_id}"): Operation(
        name="changeWebhook",
        tag=TAG,
        summary="Change, pause or resume an endpoint",
        description=(
            "While an endpoint is paused nothing is sent to it, and what falls due is held for seven days; "
            "resuming does not send what is held: a replay does. Resuming it, or changing its URL, forgets "
            "the failures so far. A null `rate_per_s` or `description` is removed; other null members are "
            "left unchanged."
        ),
        parameters=(ENDPOINT_IN_PATH,),
        body=patch_content(
            ENDPOINT_CHANGE, pause={"state": "paused"}, types={"types": ["shipment.delivered"]}
        ),
        responses={
            200: ResponseSpec(
                "The endpoint.", json_content(_ENDPOINT, paused=samples.PAUSED), headers=_PRIVATE
            )
        },
        errors=_ABSENT,
    ),
    ("DELETE", "/webhooks/{endpoint_id}"): Operation(
        name="deleteWebhook",
        tag=TAG,
        summary="Delete an endpoint",
        description="Nothing is sent to it any more; its deliveries are deleted, too.",
        parameters=(ENDPOINT_IN_PATH,),
        responses={204: ResponseSpec("The endpoint is deleted.")},
        errors=_ABSENT,
    ),
    ("POST", "/webhooks/{endpoint_id}/secret/rotate"): Operation(
        name="rotateWebhookSecret",
        tag=TAG,
        summary="Rotate the secret of an endpoint",
        description=(
            "The new secret is shown in this response only. Those of before sign, too, for `grace_s` "
            "seconds: a day by default, a week at most, with 0 not at all. A request without a body has the "
            "default."
        ),
        parameters=(ENDPOINT_IN_PATH,),
        body=json_content(ROTATION, day={"grace_s": 86_400}, leaked={"grace_s": 0}),
        responses={
            200: ResponseSpec(
                "The new secret.",
                json_content(TypeAdapter(WebhookSecret), rotated={"secret": samples.SECRET}),
                headers=_PRIVATE,
            )
        },
        errors=_ABSENT,
    ),
    ("POST", "/webhooks/{endpoint_id}/test"): Operation(
        name="testWebhook",
        tag=TAG,
        summary="Send a test message to an endpoint",
        description=(
            "One message of the type `webhook.test`, sent once, at once, paused or not. The response says "
            "how that ended; 200 means only that it was tried. Takes up to 17 seconds."
        ),
        parameters=(ENDPOINT_IN_PATH,),
        responses={
            200: ResponseSpec(
                "The attempt.",
                json_content(TypeAdapter(WebhookAttempt), received=samples.SUCCESS, failed=samples.ATTEMPT),
                headers=_PRIVATE,
            )
        },
        errors=_ABSENT,
    ),
}
