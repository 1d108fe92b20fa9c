"""How POST /events and POST /events/batch are described."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from httpkit.identifiers import EVENT, NUMBER
from httpkit.operations import Key, Link, Operation, Reply, json_content
from ingest_api.contract.replies import Queued, QueuedBatch
from ingest_api.models import BATCH
from ingest_api.models import EVENT as EVENT_MODEL

TAG: Final = "events"

PICKED_UP: Final = {
    "tracking_number": NUMBER,
    "status": "picked_up",
    "timestamp": "2026-11-02T08:15:00-06:00",
    "source": "driver-017",
    "location": {"lat": 19.3629, "lng": -99.1824, "address": "Av. Insurgentes Sur 1602, CDMX"},
    "notes": "Dos bultos",
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
QUEUED_BATCH: Final = {
    "received": 2,
    "queued": 2,
    "message": "Events accepted for processing",
    "events": [
        {"index": 0, "event_id": EVENT, "status": "queued"},
        {"index": 1, "event_id": STORED_ID, "status": "queued"},
    ],
}
OUTCOME: Final = Link("getEvent", {"event_id": "$response.body#/event_id"})

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("POST", "/events"): Operation(
        name="reportEvent",
        tag=TAG,
        summary="Report where a shipment is",
        description=(
            "Answers once every in-sync replica of the log has the event. Sending it again is always safe: "
            "the same shipment, source and instant are the same event."
        ),
        body=json_content(EVENT_MODEL, picked_up=PICKED_UP),
        replies={
            202: Reply(
                "Durably accepted; what becomes of it is at `Location`.",
                json_content(TypeAdapter(Queued), queued=QUEUED),
                headers=("Location",),
                links={"outcome": OUTCOME},
            ),
        },
    ),
    ("POST", "/events/batch"): Operation(
        name="reportEvents",
        tag=TAG,
        summary="Report many events at once",
        description="Up to 1,000 events and 2 MiB, all or none: one that is wrong, and nothing is queued.",
        body=json_content(BATCH, two={"events": [PICKED_UP, STORED]}),
        replies={
            202: Reply("All durably accepted.", json_content(TypeAdapter(QueuedBatch), queued=QUEUED_BATCH)),
        },
    ),
}
