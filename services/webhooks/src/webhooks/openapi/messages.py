"""Descriptions of the messages that endpoints are sent: the `webhooks` of the OpenAPI document."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from domain.webhooks.message import MESSAGE_TYPES
from httpkit.openapi.operations import Content, WebhookMessage
from webhooks.openapi.endpoint_operations import TAG
from webhooks.openapi.message_models import MESSAGES, name_of
from webhooks.openapi.parameters import MESSAGE_HEADERS
from webhooks.openapi.samples import message_examples

_SUMMARIES: Final[Mapping[str, str]] = {
    "shipment.created": "A shipment was registered",
    "shipment.checkpoint": "A shipment has passed a checkpoint",
    "shipment.amended": "A shipment was amended",
    "shipment.corrected": "An event of a shipment was retracted",
}
_DESCRIPTION: Final = (
    "Sent to each endpoint that wants it, at least once; `webhook-id` is the same each time. Verify the "
    "signature over the body as it came, then ignore ids that you have seen. `version` orders the changes "
    "of a shipment."
)
_RESPONSES: Final[Mapping[int | str, str]] = {
    "2XX": "Received. Anything else, or nothing within 15 seconds, is tried again for up to three days.",
    410: "The endpoint is gone: it is paused at once.",
}

WEBHOOKS: Final = tuple(
    WebhookMessage(
        type=type_,
        name=f"on{name_of(type_)}",
        tag=TAG,
        summary=_SUMMARIES.get(type_) or f"A shipment has reached the status {type_.partition('.')[2]}",
        description=_DESCRIPTION,
        content=Content(TypeAdapter(MESSAGES[type_]), message_examples(type_)),
        headers=MESSAGE_HEADERS,
        responses=_RESPONSES,
    )
    for type_ in MESSAGE_TYPES
)
