"""Conversion between domain objects and the documents of `shipments` and `status_events`."""

from datetime import datetime
from typing import Any, Final

from domain.processing.batch import (
    ConsumedCommand,
    EventChange,
    EventRecord,
    OtherPayload,
    Outcome,
)
from domain.shipments.commands import (
    DESCRIBED,
    OBSERVED,
    AmendShipment,
    Command,
    CreateShipment,
    Report,
    ReportCheckpoint,
    ReportStatus,
    RetractEvent,
    put_given,
)
from domain.shipments.event_identity import API_SOURCE, tracking_number_of
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status, following
from storage.mongo.checkpoints import CHECKPOINT
from storage.mongo.held_events import (
    HELD_UNTIL,
    HOLD,
    RELEASED,
    held_document,
    held_event_of,
)

Document = dict[str, Any]

MAX_OTHER_PAYLOADS: Final = 8
"""Maximum number of superseded payloads retained for one event id; the last ones stay."""

RETRACTION: Final = "retraction"
"""Field of a retraction: the event that it takes back, and why."""

WITHOUT_STATUS: Final = ("changes", CHECKPOINT, RETRACTION)
"""Fields of events that report no status, one each: their `status` is the shipment's."""

UTC_OFFSET: Final = "utc_offset"
"""Field for the offset of an event's local time; absent if it is UTC, as in older documents."""

_COMMAND_FIELDS: Final = (
    "status",
    CHECKPOINT,
    *OBSERVED,
    "changes",
    RETRACTION,
    *DESCRIBED,
    "submitted_by",
    "received_at",
)
OTHER_PAYLOAD_FIELDS: Final = (*_COMMAND_FIELDS, "offset", "reason")
"""Fields shown of a superseded payload; shipment, instant and source are the event's own."""

HISTORY_FIELDS: Final = ("status", CHECKPOINT, "timestamp", UTC_OFFSET, "source", *OBSERVED)
"""Fields of an event that its entry in the history has too, in their order there."""

_NULL: Final[Document] = {"location": None, "notes": None}
"""Fields that are null where they are not given; those that came later are absent, as in older documents."""

EXPLANATION: Final = ("current_status", "may_follow")
"""Fields of an event that the status of its shipment did not allow: that status, and what may follow it."""

PREVIOUS_STATUS: Final = "previous_status"
"""Field of an applied event: the shipment's status before it; absent where its own determines that."""

_NEWER: Final = tuple(name for name in (*OBSERVED, *DESCRIBED) if name not in _NULL)
ABSENT: Final = (UTC_OFFSET, *EXPLANATION, PREVIOUS_STATUS, CHECKPOINT, "changes", RETRACTION, *_NEWER)
"""Fields that are absent where they are not given: another payload may have to remove them."""

EVENT_FIELDS = {
    "outcome": 1,
    "reason": 1,
    "fingerprint": 1,
    "last_offset": 1,
    "offset": 1,
    "version": 1,
    "client_id": 1,
    "timestamp": 1,
    "request_key": 1,
    "status": 1,
    "current_status": 1,
    PREVIOUS_STATUS: 1,
    HELD_UNTIL: 1,
    RELEASED: 1,
    "released_by": 1,
    "submitted_by": 1,
    "received_at": 1,
}


def event_of(document: Document) -> EventRecord:
    """Return the record of an event, from the fields `EVENT_FIELDS`."""
    reason = document["reason"]
    return EventRecord(
        event_id=document["_id"],
        outcome=Outcome(document["outcome"]),
        reason=RejectionReason(reason) if reason in RejectionReason.__members__ else None,
        fingerprint=document["fingerprint"],
        last_offset=document["last_offset"],
        version=document["version"],
        client_id=document["client_id"],
        timestamp=document["timestamp"],
        request_key=document.get("request_key"),
        status=None if document["status"] is None else Status(document["status"]),
        offset=document["offset"],
        current_status=Status(document["current_status"]) if "current_status" in document else None,
        previous_status=Status(document[PREVIOUS_STATUS]) if PREVIOUS_STATUS in document else None,
        held_until=document.get(HELD_UNTIL),
        released=tuple(
            held_event_of(each, tracking_number_of(document["_id"])) for each in document.get(RELEASED, ())
        ),
        released_by=document.get("released_by"),
        submitted_by=document["submitted_by"],
        received_at=document["received_at"],
    )


def event_document(change: EventChange, *, partition: int, recorded_at: datetime) -> Document:
    """Return the document of an event that was judged for the first time."""
    document = judged_fields(change, partition=partition, recorded_at=recorded_at)
    document["_id"] = change.event_id
    document["attempts"] = change.attempts
    document["duplicates"] = change.duplicates
    document["conflicts"] = change.conflicts
    if change.others:
        document["other_payloads"] = other_payloads(change)
    return document


def other_payloads(change: EventChange) -> list[Document]:
    """Return the superseded payloads of a batch: each once, the last `MAX_OTHER_PAYLOADS`."""
    kept: dict[str, Document] = {}
    for other in change.others:
        kept.pop(other.consumed.fingerprint, None)
        kept[other.consumed.fingerprint] = _other_payload(other)
    if change.judged is not None:
        kept.pop(change.judged.fingerprint, None)
    return list(kept.values())[-MAX_OTHER_PAYLOADS:]


def update_with_others(change: EventChange, fields: Document) -> list[Document]:
    """Return the update (a pipeline) of an event that was sent with several payloads.

    If the recorded payload is superseded, it is moved to the other payloads.

    Args:
        change: of the event by the batch.
        fields: to set besides.
    """
    others = other_payloads(change)
    recorded: Document = {name: f"${name}" for name in (*OTHER_PAYLOAD_FIELDS, "fingerprint")}
    missing = [{"$eq": [{"$type": f"${name}"}, "missing"]} for name in WITHOUT_STATUS]
    recorded["status"] = {"$cond": [{"$and": missing}, "$status", None]}
    known = [{"$ifNull": ["$other_payloads", []]}, [recorded] if change.supersedes else []]
    stands = "$fingerprint" if change.judged is None else {"$literal": change.judged.fingerprint}
    newer = [stands, *({"$literal": each["fingerprint"]} for each in others)]
    older = {
        "$filter": {
            "input": {"$concatArrays": known},
            "cond": {"$not": {"$in": ["$$this.fingerprint", newer]}},
        }
    }
    both = {"$concatArrays": [older, {"$literal": others}]}
    updated: Document = {"other_payloads": {"$slice": [both, -MAX_OTHER_PAYLOADS]}}
    if change.judged is not None:
        updated |= dict.fromkeys(ABSENT, "$$REMOVE")  # what the new payload gives is set below
    for name in ("attempts", "duplicates", "conflicts"):
        updated[name] = {"$add": [f"${name}", getattr(change, name)]}
    updated |= {name: {"$literal": value} for name, value in fields.items()}
    if change.by_another:
        updated["last_offset"] = {"$max": ["$last_offset", change.last_offset]}
        if "partition" in fields:  # of the log before it grew, perhaps
            updated["partition"] = {"$ifNull": ["$partition", fields["partition"]]}
    return [{"$set": updated}]


def _other_payload(other: OtherPayload) -> Document:
    fields = command_fields(other.consumed.command)
    # A creation by another request may be another client's: its content is hidden from readers of this one.
    hidden = DESCRIBED if other.reason is RejectionReason.TRACKING_NUMBER_TAKEN else ()
    return {
        **{name: fields[name] for name in _COMMAND_FIELDS if name in fields and name not in hidden},
        "offset": other.consumed.offset,
        "reason": None if other.reason is None else str(other.reason),
        "fingerprint": other.consumed.fingerprint,
    }


def judged_fields(change: EventChange, *, partition: int, recorded_at: datetime) -> Document:
    """Return the fields that every judgement sets, the first one and later ones."""
    consumed, record = change.judged, change.record
    if consumed is None or record is None:
        raise ValueError(f"{change.event_id} was counted, not judged")
    fields = command_fields(consumed.command)
    fields["status"] = str(record.status) if record.status is not None else None
    fields["client_id"] = record.client_id
    fields["outcome"] = str(record.outcome)
    fields["reason"] = str(record.reason) if record.reason is not None else None
    fields["version"] = record.version
    fields["fingerprint"] = consumed.fingerprint
    fields["partition"] = partition
    fields["offset"] = consumed.offset
    fields["last_offset"] = change.last_offset
    fields["recorded_at"] = recorded_at
    if record.current_status is not None:
        fields["current_status"] = str(record.current_status)
        fields["may_follow"] = [str(status) for status in following(record.current_status)]
    if record.previous_status is not None:
        fields[PREVIOUS_STATUS] = str(record.previous_status)
    if record.released:
        fields[RELEASED] = [held_document(each) for each in record.released]
    if record.released_by is not None:
        fields["released_by"] = record.released_by
    put_hold(fields, change)
    return fields


def put_retraction(fields: Document, change: EventChange) -> None:
    """Put into `fields` that a batch retracted an event; nothing if it did not."""
    if change.is_retracted:
        fields["outcome"] = Outcome.REJECTED.value
        fields["reason"] = RejectionReason.RETRACTED.value


def put_hold(fields: Document, change: EventChange) -> None:
    """Put into `fields` what a batch changes in how an event is held; nothing if it changes nothing."""
    if change.hold is not None:
        fields[HOLD] = {"offset": change.hold.offset, "seconds": int(change.hold.length.total_seconds())}
    if change.hold is not None or change.hold_end is not None:
        fields[HELD_UNTIL] = None if change.record is None else change.record.held_until


def dead_document(
    consumed: ConsumedCommand, *, reason: str, partition: int, recorded_at: datetime
) -> Document:
    """Return the document of a dead-lettered event; `reason` is shown to operators."""
    return command_fields(consumed.command) | {
        "_id": consumed.command.event_id,
        "client_id": None,
        "outcome": Outcome.DEAD.value,
        "reason": reason,
        "version": None,
        "fingerprint": consumed.fingerprint,
        "attempts": 1,
        "duplicates": 0,
        "conflicts": 0,
        "partition": partition,
        "offset": consumed.offset,
        "last_offset": consumed.offset,
        "recorded_at": recorded_at,
    }


def update_with_dead(consumed: ConsumedCommand, *, reason: str) -> list[Document]:
    """Return the update (a pipeline) that adds a dead-lettered payload to the event's other payloads."""
    others = [OtherPayload(consumed, reason)]
    change = EventChange(consumed.command.event_id, is_new=False, last_offset=consumed.offset, others=others)
    return update_with_others(change, {})


def command_fields(command: Command) -> Document:
    """Return the fields of a command under the names of the audit log."""
    fields: Document = {
        "tracking_number": command.tracking_number,
        "received_at": command.received_at,
        "submitted_by": command.submitted_by,
        **history_fields(command),
    }
    if isinstance(command, CreateShipment):
        fields["request_key"] = command.request_key
        # A shipment can be rebuilt from its events alone only if the first one has all of its description.
        put_given(fields, command, DESCRIBED)
    elif isinstance(command, AmendShipment):
        fields["changes"] = command.changes
    elif isinstance(command, RetractEvent):
        fields[RETRACTION] = {"event_id": command.retracts, "reason": command.reason}
    return fields


def history_fields(command: Command) -> Document:
    """Return the fields that a history shows of a command: those of `HISTORY_FIELDS`, in their order."""
    if not isinstance(command, Report):
        # Of an amendment or a retraction it is the shipment's, which only a judgement knows.
        status = str(Status.CREATED) if isinstance(command, CreateShipment) else None
        return {"status": status, "timestamp": command.timestamp, "source": API_SOURCE, **_NULL}
    fields: Document = {"status": str(command.status) if isinstance(command, ReportStatus) else None}
    if isinstance(command, ReportCheckpoint):
        fields[CHECKPOINT] = command.checkpoint
    fields["timestamp"] = command.timestamp
    if command.utc_offset is not None:
        fields[UTC_OFFSET] = command.utc_offset
    fields["source"] = command.source
    fields |= _NULL
    put_given(fields, command, OBSERVED)
    return fields
