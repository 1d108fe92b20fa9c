"""Bytes per event of the benchmarks at each stage, for the table in `bench.costs`."""

from collections.abc import Sequence
from typing import Any, Final

import bson
from aiokafka.codec import snappy_encode
from bench.filling import created_document, make_filling
from bench.load import STARTED_AT, WALK, make_load

from domain.processing.batch import ConsumedCommand, EventChange, EventRecord, Outcome
from domain.shipments.commands import ReportStatus
from messaging import codec
from messaging.change_codec import encode_change
from storage.mongo.documents import event_document
from storage.mongo.shipment_documents import history_entry

EVENTS: Final = 8000
_TOGETHER: Final = 42
"""Records of one partition in a request of 500 events."""


def weigh() -> dict[str, float]:
    """Return bytes per event: over HTTP, in the log, in the derived topics, in MongoDB before compression."""
    load = make_load(events=EVENTS, batch=500, seed=1)
    filling = make_filling(events=EVENTS, seed=1)
    published = len(filling.numbers) * len(WALK) / len(filling.commands)
    topics = 2 + 1 / len(WALK)  # changes and location; delivered for the last of a life
    return {
        "http": sum(map(len, load.bodies)) / load.events,
        "log": _compressed([codec.encode(command) for command in filling.commands]),
        "derived": published * topics * _compressed([_change(command) for command in filling.commands]),
        "documents": _documents(filling.commands[0])
        + len(bson.encode(created_document(filling.numbers[0]))) / len(WALK),
    }


def _compressed(values: Sequence[bytes]) -> float:
    batches = [b"".join(values[at : at + _TOGETHER]) for at in range(0, len(values), _TOGETHER)]
    return sum(len(snappy_encode(batch)) for batch in batches) / len(values)


def _change(command: ReportStatus) -> bytes:
    return encode_change(command, _record(command))


def _documents(command: ReportStatus) -> float:
    consumed = ConsumedCommand(command=command, offset=10**6, fingerprint=_record(command).fingerprint)
    change = EventChange(command.event_id, True, 10**6, consumed, _record(command), 1)  # noqa: FBT003  # is new
    documents: list[dict[str, Any]] = [
        event_document(change, partition=3, recorded_at=STARTED_AT),
        history_entry(consumed, STARTED_AT),
    ]
    return sum(len(bson.encode(document)) for document in documents)


def _record(command: ReportStatus) -> EventRecord:
    return EventRecord(
        event_id=command.event_id,
        outcome=Outcome.APPLIED,
        reason=None,
        fingerprint="f" * 24,
        last_offset=10**6,
        version=2,
        client_id="client_001",
        timestamp=command.timestamp,
        status=command.status,
    )
