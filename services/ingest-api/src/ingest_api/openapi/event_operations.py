"""Descriptions of POST /events and POST /events/batch."""

import json
from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from httpkit.openapi.identifiers import EVENT, EVENT_IN_PATH, NUMBER
from httpkit.openapi.operations import TEXT, Content, Key, Operation, ResponseSpec, json_content
from httpkit.request.negotiation import NDJSONS
from httpkit.response.error_codes import ErrorCode
from ingest_api.openapi.prefer_header import HANDLING, TRACEPARENT, WAIT
from ingest_api.openapi.response_models import QueuedBatch
from ingest_api.openapi.write_responses import applied, queued
from ingest_api.schemas.events import BATCH, RETRACTION
from ingest_api.schemas.events import EVENT as EVENT_MODEL

TAG: Final = "events"

PICKED_UP: Final = {
    "tracking_number": NUMBER,
    "status": "picked_up",
    "timestamp": "2026-11-02T08:15:00-06:00",
    "source": "driver-017",
    "location": {"lat": 19.3629, "lng": -99.1824, "address": "Av. Insurgentes Sur 1602, CDMX"},
    "notes": "Dos bultos",
}
AT_HUB: Final = {
    "tracking_number": NUMBER,
    "checkpoint": "arrived_at_hub",
    "timestamp": "2026-11-02T09:30:00-06:00",
    "source": "hub-gdl",
}
STORED: Final = {
    "tracking_number": NUMBER,
    "status": "in_warehouse",
    "timestamp": "2026-11-02T10:40:00-06:00",
    "source": "warehouse-mex-01",
}
STORED_ID: Final = f"evt_{NUMBER}_01a19d21cd00_tivtpi3fq5r2i"
QUEUED: Final = {
    "event_id": EVENT,
    "status": "queued",
    "tracking_number": NUMBER,
    "message": "Event accepted for processing",
}
APPLIED: Final = QUEUED | {"status": "applied", "message": "Event applied"}
RETRACTED: Final = APPLIED | {"event_id": f"{EVENT}_retracted", "message": "Event retracted"}
_RETRACTION_QUEUED: Final = "Retraction accepted for processing"
QUEUED_BATCH: Final = {
    "received": 2,
    "queued": 2,
    "message": "All events accepted for processing",
    "events": [
        {"index": 0, "event_id": EVENT, "status": "queued"},
        {"index": 1, "event_id": STORED_ID, "status": "queued"},
    ],
}
QUEUED_IN_PART: Final = {
    "received": 2,
    "queued": 1,
    "message": "Some events accepted for processing",
    "events": [
        {"index": 0, "event_id": EVENT, "status": "queued"},
        {
            "index": 1,
            "status": "rejected",
            "error": "VALIDATION_ERROR",
            "details": [{"pointer": "/events/1/source", "message": "Field required"}],
        },
    ],
    "rejected": 1,
}
LINES: Final = Content(TEXT, {"two": "\n".join(json.dumps(each) for each in (PICKED_UP, STORED))})

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("POST", "/events"): Operation(
        name="reportEvent",
        tag=TAG,
        summary="Report an event of a shipment",
        description=(
            "Responds once every in-sync replica of the log has the event. Sending it again is always safe: "
            "the same shipment, source and timestamp are the same event. An event has either a `status` or a "
            "`checkpoint`, which changes no status and is accepted while the shipment is under way."
        ),
        body=json_content(EVENT_MODEL, picked_up=PICKED_UP, at_hub=AT_HUB),
        parameters=(WAIT, TRACEPARENT),
        responses={
            200: applied("Applied within the requested wait.", applied=APPLIED),
            202: queued(QUEUED),
        },
        errors=(
            ErrorCode.INVALID_TRANSITION,
            ErrorCode.RETRACTED,
            ErrorCode.SHIPMENT_NOT_FOUND,
            ErrorCode.SOURCE_NOT_ALLOWED,
        ),
        errors_at={409: (ErrorCode.IDEMPOTENCY_CONFLICT,)},
    ),
    ("POST", "/events/{event_id}/retract"): Operation(
        name="retractEvent",
        tag=TAG,
        summary="Take an event back that was reported by mistake",
        description=(
            "Only the last event of the shipment's history can be retracted, again and again, but never the "
            "creation. The status before it holds again. Producers retract what they have sent themselves, "
            "within 24 hours. The same event sent again stays retracted. Repeating a retraction is harmless."
        ),
        body=json_content(RETRACTION, wrong_door={"reason": "scanned at the wrong door"}),
        parameters=(EVENT_IN_PATH, WAIT, TRACEPARENT),
        responses={
            200: applied("Retracted within the requested wait.", retracted=RETRACTED),
            202: queued(QUEUED | {"event_id": f"{EVENT}_retracted", "message": _RETRACTION_QUEUED}),
        },
        errors=(ErrorCode.EVENT_NOT_FOUND, ErrorCode.NOT_THE_LATEST),
        errors_at={409: (ErrorCode.IDEMPOTENCY_CONFLICT,)},
    ),
    ("POST", "/events/batch"): Operation(
        name="reportEvents",
        tag=TAG,
        summary="Report a batch of events",
        description=(
            "Up to 1,000 events and 2 MiB, all or none: if one is invalid, nothing is queued. With "
            "`Prefer: handling=lenient` the valid ones are queued, and the others listed with their faults. "
            "NDJSON has one event per line."
        ),
        body=json_content(BATCH, two={"events": [PICKED_UP, STORED]}) | dict.fromkeys(NDJSONS, LINES),
        parameters=(HANDLING, TRACEPARENT),
        responses={
            202: ResponseSpec(
                "Durably accepted.",
                json_content(TypeAdapter(QueuedBatch), queued=QUEUED_BATCH, in_part=QUEUED_IN_PART),
                headers=("Preference-Applied",),
            ),
        },
        errors=(ErrorCode.SOURCE_NOT_ALLOWED,),
    ),
}
