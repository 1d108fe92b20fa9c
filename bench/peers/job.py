"""The job of every peer in Python: turn a batch of events into two lists of writes, and messages of changes.

State lives in MongoDB, for all of them: a table of the library's own would be one more write per event, to
its changelog topic. Dedup is by the event's id in the audit log, looked up for the whole batch at once.
"""

import os
from collections.abc import Iterable, Iterator
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
FEED: Final = os.environ.get("PEER_FEED", "")
"""Prefix of the derived topics; without it nothing is published."""
MAJORITY: Final = WriteConcern(w="majority", j=True)
BATCH: Final = 500

FOLLOWING: Final = {
    "created": {"picked_up", "cancelled"},
    "picked_up": {"in_warehouse", "cancelled"},
    "in_warehouse": {"in_transit", "cancelled"},
    "in_transit": {"delivered"},
}


STATE: Final = {"client_id": 1, "current_status": 1, "version": 1}
"""Fields of a shipment that decisions and changes need."""


@dataclass(slots=True)
class Writes:
    """Writes of a batch: the shipments first, then the audit log; then come the messages."""

    shipments: list[UpdateOne] = field(default_factory=list)
    events: list[Document] = field(default_factory=list)
    messages: list[Document] = field(default_factory=list)


def known_events(events: Iterable[Event]) -> Document:
    """Return the query for the events of a batch that are recorded already."""
    return {"_id": {"$in": [event["id"] for event in events]}}


def shipments_of(events: Iterable[Event]) -> Document:
    """Return the query for the shipments of a batch."""
    return {"_id": {"$in": list({event["subject"] for event in events})}}


def judge(events: Iterable[Event], seen: set[str], shipments: dict[str, Document]) -> Writes:
    """Decide events in order; `seen` and `shipments` start as the stored state and are updated."""
    now = datetime.now(UTC)
    writes = Writes()
    moved: dict[str, list[Document]] = {}
    for event in events:
        if event["id"] in seen:
            continue
        seen.add(event["id"])
        number, status = event["subject"], event["data"]["status"]
        shipment = shipments.get(number)
        is_legal = shipment is not None and status in FOLLOWING.get(shipment["current_status"], ())
        writes.events.append(audit_document(event, now, is_legal=is_legal))
        if is_legal:
            after = {**shipment, "current_status": status, "version": shipment["version"] + 1}
            if FEED:
                writes.messages.append(message(event, shipment, after))
            shipments[number] = after
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


def message(event: Event, before: Document, after: Document) -> Document:
    """Return the message of an applied event."""
    data = event["data"]
    return {
        "specversion": "1.0",
        "id": event["id"],
        "source": "/peer",
        "type": "waybill.shipment.changed.v1",
        "subject": event["subject"],
        "time": event["time"],
        "data": {
            "event_id": event["id"],
            "tracking_number": event["subject"],
            "client_id": after["client_id"],
            "status": after["current_status"],
            "previous_status": before["current_status"],
            "version": after["version"],
            "timestamp": event["time"],
            "source": data["source"],
            "location": data.get("location"),
            "notes": data.get("notes"),
        },
    }


def addressed(messages: Iterable[Document]) -> Iterator[tuple[str, str, Document]]:
    """Yield topic, key and value of messages: all, those of a delivery, those with a location."""
    for each in messages:
        data = each["data"]
        for topic, belongs in (
            ("shipments.changes", True),
            ("shipments.delivered", data["status"] == "delivered"),
            ("shipments.location", data["location"] is not None),
        ):
            if belongs:
                yield f"{FEED}{topic}", each["subject"], each
