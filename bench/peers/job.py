"""The job of every peer: turn a batch of events into two lists of writes.

State lives in MongoDB, for all of them: a table of the library's own would be one more write per event, to
its changelog topic. Dedup is by the event's id in the audit log, looked up for the whole batch at once.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pymongo import UpdateOne, WriteConcern

Event = dict[str, Any]
Document = dict[str, Any]

BROKERS: Final = os.environ["KAFKA_BROKERS"]
TOPIC: Final = os.environ["PEER_TOPIC"]
GROUP: Final = os.environ["PEER_GROUP"]
MONGO_URI: Final = os.environ["MONGO_URI"]
DATABASE: Final = os.environ["MONGO_DB"]
MAJORITY: Final = WriteConcern(w="majority", j=True)
BATCH: Final = 500

FOLLOWING: Final = {
    "created": {"picked_up", "cancelled"},
    "picked_up": {"in_warehouse", "cancelled"},
    "in_warehouse": {"in_transit", "cancelled"},
    "in_transit": {"delivered"},
}


@dataclass(slots=True)
class Writes:
    """Writes of a batch: the shipments first, then the audit log."""

    shipments: list[UpdateOne] = field(default_factory=list)
    events: list[Document] = field(default_factory=list)


def known_events(events: Iterable[Event]) -> Document:
    """Return the query for the events of a batch that are recorded already."""
    return {"_id": {"$in": [event["id"] for event in events]}}


def shipments_of(events: Iterable[Event]) -> Document:
    """Return the query for the shipments of a batch."""
    return {"_id": {"$in": list({event["subject"] for event in events})}}


def judge(events: Iterable[Event], seen: set[str], statuses: dict[str, str]) -> Writes:
    """Decide events in order; `seen` and `statuses` start as the stored state and are updated."""
    now = datetime.now(UTC)
    writes = Writes()
    moved: dict[str, list[Document]] = {}
    for event in events:
        if event["id"] in seen:
            continue
        seen.add(event["id"])
        number, status = event["subject"], event["data"]["status"]
        is_legal = status in FOLLOWING.get(statuses.get(number, ""), ())
        writes.events.append(audit_document(event, now, is_legal=is_legal))
        if is_legal:
            statuses[number] = status
            moved.setdefault(number, []).append(history_entry(event, now))
    writes.shipments += [update(number, entries, now) for number, entries in moved.items()]
    return writes


def audit_document(event: Event, now: datetime, *, is_legal: bool) -> Document:
    """Return the record of an event."""
    return {
        "_id": event["id"],
        "tracking_number": event["subject"],
        **described(event),
        "received_at": instant(event["recordedtime"]),
        "submitted_by": event["submittedby"],
        "outcome": "applied" if is_legal else "rejected",
        "reason": None if is_legal else "INVALID_TRANSITION",
        "recorded_at": now,
    }


def history_entry(event: Event, now: datetime) -> Document:
    """Return the history entry of an event in its shipment."""
    return {"event_id": event["id"], **described(event), "recorded_at": now}


def described(event: Event) -> Document:
    """Return the payload of an event."""
    data = event["data"]
    return {
        "status": data["status"],
        "timestamp": instant(event["time"]),
        "source": data["source"],
        "location": data.get("location"),
        "notes": data.get("notes"),
    }


def update(number: str, entries: list[Document], now: datetime) -> UpdateOne:
    """Return the write that updates a shipment."""
    return UpdateOne(
        {"_id": number},
        {
            "$set": {"current_status": entries[-1]["status"], "updated_at": now},
            "$inc": {"version": len(entries)},
            "$push": {"status_history": {"$each": entries}},
        },
    )


def instant(text: str) -> datetime:
    """Read an RFC 3339 instant."""
    return datetime.fromisoformat(text)
