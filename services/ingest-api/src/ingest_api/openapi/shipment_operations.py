"""Descriptions of the writes to /shipments."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from httpkit.openapi.identifiers import CREATION, IN_PATH, NUMBER
from httpkit.openapi.operations import (
    TEXT,
    Key,
    Link,
    Operation,
    Parameter,
    ResponseSpec,
    json_content,
    patch_content,
)
from httpkit.response.error_codes import ErrorCode
from ingest_api.openapi.prefer_header import TRACEPARENT, WAIT
from ingest_api.openapi.response_models import Changed, Registered
from ingest_api.openapi.write_responses import LOCATED, TO_OUTCOME, queued
from ingest_api.schemas.shipments import AMENDMENT, SHIPMENT

TAG: Final = "shipments"

NEW: Final = {
    "origin_address": "Av. Insurgentes Sur 1602, CDMX",
    "origin_lat": 19.3629,
    "origin_lng": -99.1824,
    "destination_address": "Av. Vallarta 3959, Guadalajara",
    "destination_lat": 20.6767,
    "destination_lng": -103.431,
    "weight_kg": 2.5,
    "length_cm": 40,
    "width_cm": 30,
    "height_cm": 20,
    "content_description": "Refacciones",
    "client_id": "client_001",
    "reference": "order 4711",
    "estimated_delivery": {"earliest": "2026-11-05T09:00:00-06:00", "latest": "2026-11-05T18:00:00-06:00"},
}
NEW_NESTED: Final = {
    "client_id": "client_001",
    "origin": {
        "address": "Av. Insurgentes Sur 1602, CDMX",
        "coordinates": {"lat": 19.3629, "lng": -99.1824},
    },
    "destination": {
        "address": "Av. Vallarta 3959, Guadalajara",
        "coordinates": {"lat": 20.6767, "lng": -103.431},
    },
    "package": {
        "weight_kg": 2.5,
        "dimensions": {"length": 40, "width": 30, "height": 20},
        "content_description": "Refacciones",
    },
}
REGISTERED: Final = {
    "tracking_number": NUMBER,
    "status": "created",
    "created_at": "2026-11-02T14:02:11.402Z",
    "client_id": "client_001",
}
QUEUED: Final = {
    "event_id": CREATION,
    "status": "queued",
    "tracking_number": NUMBER,
    "message": "Shipment accepted for processing",
}
KEY: Final = Parameter(
    "Idempotency-Key",
    "header",
    "Makes the call safe to repeat: the same key with the same body returns the same shipment. 1 to 255 "
    "visible characters; keys are per caller and do not expire.",
    TypeAdapter(Annotated[str, Field(pattern=r"^[!-~]([ -~]{0,253}[!-~])?$")]),
    "order-4711",
)
IF_MATCH: Final = Parameter(
    "If-Match",
    "header",
    "The `ETag` of the version to change, checked when the change is applied, in the order of all changes. "
    "If the shipment has another version by then, nothing is changed: 412. Several tags: any of them; `*`: "
    "any version. A weak tag matches nothing. `If-None-Match: *` never holds for an existing shipment: 412.",
    TEXT,
    '"v1"',
)
TO_SHIPMENT: Final = Link("getShipment", {"tracking_number": "$response.body#/tracking_number"})

CHANGE_ID: Final = f"evt_{NUMBER}_01a19c93f7a2_tivtpi3fq5r2i"
AMENDED: Final = {"tracking_number": NUMBER, "status": "created", "version": 2, "event_id": CHANGE_ID}
CANCELLED: Final = AMENDED | {"status": "cancelled", "version": 3}
LATER: Final = QUEUED | {"event_id": CHANGE_ID, "message": "Amendment accepted for processing"}


def _changes(example: object) -> dict[int, ResponseSpec]:
    """Return the responses to a change of a shipment."""
    return {
        200: ResponseSpec(
            "Applied.",
            json_content(TypeAdapter(Changed), changed=example),
            headers=("ETag", "Preference-Applied"),
            links={"shipment": TO_SHIPMENT, "outcome": TO_OUTCOME},
        ),
        202: queued(LATER),
    }


OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("POST", "/shipments"): Operation(
        name="registerShipment",
        tag=TAG,
        summary="Register a shipment",
        description=(
            "The body is flat, or nested like the response of GET, but not both. "
            "A client registers for itself and may leave `client_id` out; an admin must send it. Waits up to "
            "5 s for the shipment to exist, or as long as `Prefer: wait` says."
        ),
        body=json_content(SHIPMENT, flat=NEW, nested=NEW_NESTED),
        parameters=(KEY, WAIT, TRACEPARENT),
        responses={
            201: ResponseSpec(
                "The shipment exists.",
                json_content(TypeAdapter(Registered), registered=REGISTERED),
                headers=LOCATED,
                links={"shipment": TO_SHIPMENT},
            ),
            202: queued(QUEUED),
        },
        errors=(ErrorCode.IDEMPOTENCY_CONFLICT,),
    ),
    ("PATCH", "/shipments/{tracking_number}"): Operation(
        name="amendShipment",
        tag=TAG,
        summary="Amend a shipment that is not in transit yet",
        description=(
            "Accepts any field of POST except `client_id`, flat or nested, and merges each one (RFC 7396): "
            "one dimension alone too, a latitude only with its longitude. A null field is left unchanged; "
            "nothing can be removed. A client may amend its own shipments while they are `created`."
        ),
        body=patch_content(AMENDMENT, flat={"weight_kg": 2.75}, nested={"package": {"weight_kg": 2.75}}),
        parameters=(IN_PATH, IF_MATCH, WAIT, TRACEPARENT),
        responses=_changes(AMENDED),
        errors=(
            ErrorCode.INCOMPLETE_DIMENSIONS,
            ErrorCode.INVALID_TRANSITION,
            ErrorCode.PRECONDITION_FAILED,
            ErrorCode.SHIPMENT_NOT_FOUND,
        ),
        errors_at={409: (ErrorCode.IDEMPOTENCY_CONFLICT,)},
    ),
    ("DELETE", "/shipments/{tracking_number}"): Operation(
        name="cancelShipment",
        tag=TAG,
        summary="Cancel a shipment",
        description="Sets the status `cancelled`; the shipment is not deleted and can still be read.",
        parameters=(IN_PATH, IF_MATCH, WAIT, TRACEPARENT),
        responses=_changes(CANCELLED),
        errors=(
            ErrorCode.INVALID_TRANSITION,
            ErrorCode.PRECONDITION_FAILED,
            ErrorCode.SHIPMENT_NOT_FOUND,
            ErrorCode.VALIDATION_ERROR,
        ),
        errors_at={409: (ErrorCode.IDEMPOTENCY_CONFLICT,)},
    ),
}
