"""Models of the responses of webhooks."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from domain.webhooks.delivery import AttemptError, DeliveryState, ReplayState
from domain.webhooks.endpoint import EndpointState, Ordering, PauseReason, Payload
from httpkit.openapi.identifiers import Instant, TrackingNumberText
from httpkit.openapi.pagination import CursorPagination

ENDPOINT_ID: Final = "wh_mfzwi3ldpn5xk2lqnrsw"
DELIVERY_ID: Final = "msg_2kzv5m7rj3w6q4ynx5gd7tbhsapc2fue"
REPLAY_ID: Final = "rp_nb2hi4dthixs65ltmvzq"

_CLOSED = ConfigDict(extra="forbid")
_Count = Annotated[int, Field(ge=0)]
EndpointId = Annotated[str, Field(pattern="^wh_[a-z2-7]{20}$", examples=[ENDPOINT_ID])]
DeliveryId = Annotated[str, Field(pattern="^msg_[a-z2-7]{32}$", examples=[DELIVERY_ID])]
ReplayId = Annotated[str, Field(pattern="^rp_[a-z2-7]{20}$", examples=[REPLAY_ID])]
Secret = Annotated[str, Field(pattern="^whsec_[A-Za-z0-9+/]{43}=$")]


class Webhook(TypedDict):
    """An endpoint: a URL that is sent the changes of shipments.

    `client_id` is the client whose shipments it is about; null: those of every client. `paused_reason` is
    `manual`, `gone` after a response with status 410, and `failing` after five days without one success;
    `failing_since` is the first failure since the last success.
    """

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    id: EndpointId
    client_id: str | None
    url: str
    types: list[str]
    payload: Payload
    ordering: Ordering
    rate_per_s: float | None
    description: str | None
    state: EndpointState
    paused_reason: PauseReason | None
    paused_at: Instant | None
    failing_since: Instant | None
    created_by: str
    created_at: Instant
    updated_at: Instant


class NewWebhook(Webhook):
    """An endpoint with its secret, which is shown this once."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    secret: Secret


class WebhookPage(TypedDict):
    """A page of endpoints, newest first."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[Webhook]
    pagination: CursorPagination


class WebhookSecret(TypedDict):
    """The new secret of an endpoint, which is shown this once."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    secret: Secret


class WebhookAttempt(TypedDict):
    """One attempt at a delivery.

    `status_code` is null without a response, `error` after a success; `response` is the beginning of the
    response's body, at most 1 KiB.
    """

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    at: Instant
    status_code: int | None
    duration_ms: _Count
    error: AttemptError | None
    response: str | None


class _Delivery(TypedDict):
    id: DeliveryId
    endpoint_id: EndpointId
    type: str
    tracking_number: TrackingNumberText
    version: Annotated[int, Field(ge=1)]
    state: DeliveryState
    next_attempt_at: Instant | None
    created_at: Instant
    updated_at: Instant


class ListedDelivery(_Delivery):
    """A delivery of a change to an endpoint; its id is the `webhook-id`."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    last_attempt: WebhookAttempt | None


class DeliveryPage(TypedDict):
    """A page of deliveries, newest first."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[ListedDelivery]
    pagination: CursorPagination


class WebhookDelivery(_Delivery):
    """A delivery with its attempts, the last 30, and the body that is sent; null once it has expired."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    attempts: list[WebhookAttempt]
    body: str | None


# "from" is a keyword of the language.
WebhookReplay = TypedDict(
    "WebhookReplay",
    {
        "id": ReplayId,
        "endpoint_id": EndpointId,
        "from": Instant,
        "to": Instant,
        "states": list[DeliveryState],
        "types": list[str],
        "state": ReplayState,
        "matched": _Count,
        "sent": _Count,
        "failed": _Count,
        "created_at": Instant,
    },
)
WebhookReplay.__doc__ = "A replay, and how many deliveries it has found, sent and seen fail so far."
WebhookReplay.__pydantic_config__ = _CLOSED  # type: ignore[attr-defined]
