"""How the writes to /shipments are described."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from domain.errors import ErrorCode
from httpkit.identifiers import CREATION, NUMBER
from httpkit.operations import Key, Link, Operation, Parameter, Reply, json_content
from ingest_api.contract.replies import Queued, Registered
from ingest_api.models import SHIPMENT

TAG: Final = "shipments"

NEW: Final = {
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
    "Makes the call safe to repeat: the same key gives the same shipment again, as long as the body is the "
    "same. Any 1 to 255 visible characters; it belongs to the caller and does not expire.",
    TypeAdapter(Annotated[str, Field(pattern=r"^[!-~]([ -~]{0,253}[!-~])?$")]),
    "order-4711",
)
TO_SHIPMENT: Final = Link("getShipment", {"tracking_number": "$response.body#/tracking_number"})
TO_TRAIL: Final = Link("getEvent", {"event_id": "$response.body#/event_id"})

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("POST", "/shipments"): Operation(
        name="registerShipment",
        tag=TAG,
        summary="Register a shipment",
        description=(
            "A client registers for itself and may leave `client_id` out; an admin says whose it is. Waits "
            "up to 5 s for the shipment to exist."
        ),
        body=json_content(SHIPMENT, new=NEW),
        parameters=(KEY,),
        replies={
            201: Reply(
                "It exists.",
                json_content(TypeAdapter(Registered), registered=REGISTERED),
                headers=("Location",),
                links={"shipment": TO_SHIPMENT},
            ),
            202: Reply(
                "Durably accepted, but not there yet; what becomes of it is at `Location`.",
                json_content(TypeAdapter(Queued), queued=QUEUED),
                headers=("Location",),
                links={"outcome": TO_TRAIL},
            ),
        },
        errors=(ErrorCode.IDEMPOTENCY_CONFLICT,),
    ),
}
