"""Parameters in the paths of webhooks, and the headers of messages."""

from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from httpkit.openapi.operations import Parameter
from webhooks.openapi.response_models import (
    DELIVERY_ID,
    ENDPOINT_ID,
    REPLAY_ID,
    DeliveryId,
    EndpointId,
    ReplayId,
)

ENDPOINT_IN_PATH: Final = Parameter(
    "endpoint_id", "path", "Id of the endpoint.", TypeAdapter(EndpointId), ENDPOINT_ID
)
DELIVERY_IN_PATH: Final = Parameter(
    "delivery_id",
    "path",
    "Id of the delivery: the `webhook-id` that the receiver has seen.",
    TypeAdapter(DeliveryId),
    DELIVERY_ID,
)
REPLAY_IN_PATH: Final = Parameter("replay_id", "path", "Id of the replay.", TypeAdapter(ReplayId), REPLAY_ID)

MESSAGE_HEADERS: Final = (
    Parameter(
        "webhook-id",
        "header",
        "Id of the message, the same for every attempt and replay: a receiver ignores one that it has seen.",
        TypeAdapter(DeliveryId),
        DELIVERY_ID,
    ),
    Parameter(
        "webhook-timestamp",
        "header",
        "Time of the attempt, in seconds since 1970.",
        TypeAdapter(Annotated[int, Field(ge=0)]),
        1793628902,
    ),
    Parameter(
        "webhook-signature",
        "header",
        "Signatures, separated by blanks: `v1,` and base64 of HMAC-SHA256 over id, timestamp and body; "
        "several while the secret is rotated.",
        TypeAdapter(str),
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
)
