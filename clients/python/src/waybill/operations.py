"""Operations of the API, as its OpenAPI document names them."""

from enum import Enum, auto
from typing import Final, NamedTuple


class Repeats(Enum):
    """Whether an attempt whose result is unknown may be repeated.

    Attributes:
        SAFE: it may: executed twice, it has the effect of once.
        IF_MATCH: it may if it names the version to change, which the first execution ends.
        UNSENT: only if the server did not execute it: no connection was made, or it answered 429 or 503.
    """

    SAFE = auto()
    IF_MATCH = auto()
    UNSENT = auto()


class Operation(NamedTuple):
    """One operation of the API.

    Attributes:
        path: with the names of its parameters in braces.
        is_public: it needs no token.
    """

    method: str
    path: str
    repeats: Repeats
    is_public: bool = False


LOG_IN: Final = Operation("POST", "/auth/login", Repeats.SAFE, is_public=True)
LOG_OUT: Final = Operation("POST", "/auth/logout", Repeats.UNSENT)
CHANGE_OWN_PASSWORD: Final = Operation("POST", "/auth/password", Repeats.UNSENT)
EXCHANGE_API_KEY: Final = Operation("POST", "/auth/token", Repeats.SAFE, is_public=True)
LIST_USERS: Final = Operation("GET", "/auth/users", Repeats.SAFE)
CREATE_USER: Final = Operation("POST", "/auth/users", Repeats.UNSENT)
GET_USER: Final = Operation("GET", "/auth/users/{username}", Repeats.SAFE)
CHANGE_USER: Final = Operation("PATCH", "/auth/users/{username}", Repeats.UNSENT)
LIST_API_KEYS: Final = Operation("GET", "/auth/users/{username}/api-keys", Repeats.SAFE)
CREATE_API_KEY: Final = Operation("POST", "/auth/users/{username}/api-keys", Repeats.UNSENT)
DELETE_API_KEY: Final = Operation("DELETE", "/auth/users/{username}/api-keys/{key_id}", Repeats.SAFE)
REGISTER_SHIPMENT: Final = Operation("POST", "/shipments", Repeats.SAFE)
LIST_SHIPMENTS: Final = Operation("GET", "/shipments", Repeats.SAFE)
AMEND_SHIPMENT: Final = Operation("PATCH", "/shipments/{tracking_number}", Repeats.IF_MATCH)
CANCEL_SHIPMENT: Final = Operation("DELETE", "/shipments/{tracking_number}", Repeats.SAFE)
GET_SHIPMENT: Final = Operation("GET", "/shipments/{tracking_number}", Repeats.SAFE)
STREAM_SHIPMENT: Final = Operation("GET", "/shipments/{tracking_number}/stream", Repeats.SAFE)
REPORT_EVENT: Final = Operation("POST", "/events", Repeats.SAFE)
REPORT_EVENTS: Final = Operation("POST", "/events/batch", Repeats.SAFE)
GET_EVENT: Final = Operation("GET", "/events/{event_id}", Repeats.SAFE)
RETRACT_EVENT: Final = Operation("POST", "/events/{event_id}/retract", Repeats.SAFE)
LIST_SHIPMENT_EVENTS: Final = Operation("GET", "/shipments/{tracking_number}/events", Repeats.SAFE)
GET_PUBLIC_SHIPMENT: Final = Operation(
    "GET", "/public/shipments/{tracking_number}", Repeats.SAFE, is_public=True
)
LIST_LINKS: Final = Operation("GET", "/shipments/{tracking_number}/links", Repeats.SAFE)
CREATE_LINK: Final = Operation("POST", "/shipments/{tracking_number}/links", Repeats.UNSENT)
DELETE_LINK: Final = Operation("DELETE", "/shipments/{tracking_number}/links/{link_id}", Repeats.SAFE)
LIST_WEBHOOKS: Final = Operation("GET", "/webhooks", Repeats.SAFE)
CREATE_WEBHOOK: Final = Operation("POST", "/webhooks", Repeats.UNSENT)
GET_WEBHOOK: Final = Operation("GET", "/webhooks/{endpoint_id}", Repeats.SAFE)
CHANGE_WEBHOOK: Final = Operation("PATCH", "/webhooks/{endpoint_id}", Repeats.UNSENT)
DELETE_WEBHOOK: Final = Operation("DELETE", "/webhooks/{endpoint_id}", Repeats.SAFE)
LIST_WEBHOOK_DELIVERIES: Final = Operation("GET", "/webhooks/{endpoint_id}/deliveries", Repeats.SAFE)
GET_WEBHOOK_DELIVERY: Final = Operation(
    "GET", "/webhooks/{endpoint_id}/deliveries/{delivery_id}", Repeats.SAFE
)
RETRY_WEBHOOK_DELIVERY: Final = Operation(
    "POST", "/webhooks/{endpoint_id}/deliveries/{delivery_id}/retry", Repeats.UNSENT
)
REPLAY_WEBHOOK_DELIVERIES: Final = Operation("POST", "/webhooks/{endpoint_id}/replays", Repeats.UNSENT)
GET_WEBHOOK_REPLAY: Final = Operation("GET", "/webhooks/{endpoint_id}/replays/{replay_id}", Repeats.SAFE)
ROTATE_WEBHOOK_SECRET: Final = Operation("POST", "/webhooks/{endpoint_id}/secret/rotate", Repeats.UNSENT)
TEST_WEBHOOK: Final = Operation("POST", "/webhooks/{endpoint_id}/test", Repeats.UNSENT)
LIST_DEAD_LETTERS: Final = Operation("GET", "/dead-letters", Repeats.SAFE)
REPLAY_DEAD_LETTERS: Final = Operation("POST", "/dead-letters/replay", Repeats.SAFE)
GET_DEAD_LETTER: Final = Operation("GET", "/dead-letters/{dead_letter_id}", Repeats.SAFE)
DISCARD_DEAD_LETTER: Final = Operation("POST", "/dead-letters/{dead_letter_id}/discard", Repeats.SAFE)
REPLAY_DEAD_LETTER: Final = Operation("POST", "/dead-letters/{dead_letter_id}/replay", Repeats.SAFE)
LIST_OPERATOR_ACTIONS: Final = Operation("GET", "/operator-actions", Repeats.SAFE)
LIST_PARTITIONS: Final = Operation("GET", "/partitions", Repeats.SAFE)
RESUME_PARTITION: Final = Operation("POST", "/partitions/{partition}/resume", Repeats.UNSENT)
LIST_QUARANTINE: Final = Operation("GET", "/quarantine", Repeats.SAFE)
QUARANTINE_SHIPMENT: Final = Operation("PUT", "/quarantine/{tracking_number}", Repeats.SAFE)
RELEASE_SHIPMENT: Final = Operation("DELETE", "/quarantine/{tracking_number}", Repeats.SAFE)
GET_HEALTH: Final = Operation("GET", "/health", Repeats.SAFE, is_public=True)
POST_HEALTH: Final = Operation("POST", "/health", Repeats.SAFE, is_public=True)
GET_LIVENESS: Final = Operation("GET", "/health/live", Repeats.SAFE, is_public=True)
GET_READINESS: Final = Operation("GET", "/health/ready", Repeats.SAFE, is_public=True)
GET_CONTRACT: Final = Operation("GET", "/openapi.json", Repeats.SAFE, is_public=True)
