"""Examples of the OpenAPI document: an endpoint, its deliveries, and messages of each type."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from pydantic_core import to_json

from domain.shipments.event_identity import API_SOURCE
from domain.shipments.status import Status
from domain.webhooks.message import Change, full_body, thin_body
from httpkit.openapi.identifiers import CREATION, EVENT, NUMBER
from webhooks.openapi.response_models import DELIVERY_ID, ENDPOINT_ID, REPLAY_ID

Json = dict[str, Any]

SECRET: Final = "whsec_8hBPQw0ZAK1P7Vqk8F3m0d1n0mQq2m3gqk3bZ0yZJ1c="  # noqa: S105  # an example
_AT: Final = datetime(2026, 11, 2, 14, 15, tzinfo=UTC)

ENDPOINT: Final[Json] = {
    "id": ENDPOINT_ID,
    "client_id": "client_001",
    "url": "https://erp.example/waybill",
    "types": ["shipment.*"],
    "payload": "full",
    "ordering": "per_shipment",
    "rate_per_s": 50.0,
    "description": "our ERP",
    "state": "active",
    "paused_reason": None,
    "paused_at": None,
    "failing_since": None,
    "created_by": "acme",
    "created_at": "2026-11-02T14:00:00.000Z",
    "updated_at": "2026-11-02T14:00:00.000Z",
}
CREATED: Final = ENDPOINT | {"secret": SECRET}
PAUSED: Final = ENDPOINT | {
    "state": "paused",
    "paused_reason": "manual",
    "paused_at": "2026-11-02T15:00:00.000Z",
    "updated_at": "2026-11-02T15:00:00.000Z",
}
ATTEMPT: Final[Json] = {
    "at": "2026-11-02T14:15:02.140Z",
    "status_code": 503,
    "duration_ms": 48,
    "error": "status",
    "response": "try again later",
}
SUCCESS: Final = ATTEMPT | {"status_code": 200, "error": None, "response": "ok"}
_DELIVERY: Final[Json] = {
    "id": DELIVERY_ID,
    "endpoint_id": ENDPOINT_ID,
    "type": "shipment.picked_up",
    "tracking_number": NUMBER,
    "version": 2,
    "state": "pending",
    "next_attempt_at": "2026-11-02T14:15:07.512Z",
    "created_at": "2026-11-02T14:15:02.131Z",
    "updated_at": "2026-11-02T14:15:02.188Z",
}
LISTED_DELIVERY: Final = _DELIVERY | {"last_attempt": ATTEMPT}
REPLAY: Final[Json] = {
    "id": REPLAY_ID,
    "endpoint_id": ENDPOINT_ID,
    "from": "2026-11-01T00:00:00.000Z",
    "to": "2026-11-02T00:00:00.000Z",
    "states": ["failed", "held"],
    "types": [],
    "state": "running",
    "matched": 120,
    "sent": 80,
    "failed": 1,
    "created_at": "2026-11-02T15:00:00.000Z",
}

_PICKED_UP: Final = Change(
    change_id=EVENT,
    tracking_number=NUMBER,
    client_id="client_001",
    version=2,
    current_status=Status.PICKED_UP,
    previous_status=Status.CREATED,
    timestamp=_AT,
    source="driver-017",
    location={"lat": 19.3629, "lng": -99.1824, "address": "Av. Insurgentes Sur 1602, CDMX"},
    notes="Dos bultos",
)
_CREATED: Final = replace(
    _PICKED_UP,
    change_id=CREATION,
    version=1,
    current_status=Status.CREATED,
    previous_status=None,
    source=API_SOURCE,
    location=None,
    notes=None,
)
_CORRECTION: Final = replace(
    _CREATED, change_id=f"{EVENT}_retracted", version=3, previous_status=Status.PICKED_UP
)
_BEFORE: Final = {
    Status.PICKED_UP: Status.CREATED,
    Status.IN_WAREHOUSE: Status.PICKED_UP,
    Status.IN_TRANSIT: Status.IN_WAREHOUSE,
    Status.DELIVERED: Status.IN_TRANSIT,
    Status.CANCELLED: Status.CREATED,
}
CHANGES: Final[Mapping[str, Change]] = {
    change.type: change
    for change in (
        _CREATED,
        *(replace(_PICKED_UP, current_status=status, previous_status=_BEFORE[status]) for status in _BEFORE),
        replace(_PICKED_UP, previous_status=Status.PICKED_UP, checkpoint="arrived_at_hub"),
        replace(_CREATED, version=2, previous_status=Status.CREATED, changes={"reference": "order 4712"}),
        replace(_CORRECTION, retracts=EVENT, reason="scanned at the wrong door"),
    )
}
"""A change of each type of message."""

DELIVERY: Final = _DELIVERY | {
    "attempts": [ATTEMPT],
    "body": to_json(full_body(_PICKED_UP)).decode(),
}


def message_examples(type_: str) -> Mapping[str, Json]:
    """Return examples of the message of a type, with the full and with the thin payload."""
    change = CHANGES[type_]
    return {"full": full_body(change), "thin": thin_body(change)}
