"""A stock of shipments for reads: written straight into MongoDB, as the processor would have left them."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from bench.load import STARTED_AT, WALK
from pymongo import MongoClient

from devstack.client import RunningStack
from domain.shipments.event_identity import creation_event_id, event_id
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber, derive_tracking_number

CLIENTS: Final = 400
BIG_CLIENT: Final = "client_001"
BIG_SHARE: Final = 0.15
"""Share of the client that lists its own shipments; the others share the rest."""

CANCELLED_EVERY: Final = 10_000
"""One shipment of so many is cancelled, all over the list: the rare status."""

APART: Final = timedelta(seconds=20)
_LOT: Final = 5_000

Document = dict[str, Any]


def number_at(index: int) -> TrackingNumber:
    """Return the tracking number of a shipment of the stock."""
    return derive_tracking_number("stock", str(index), 0)


def owner_of(index: int) -> str:
    """Return the client that owns a shipment."""
    rng = random.Random(index)  # noqa: S311  # a load, not a secret
    return BIG_CLIENT if rng.random() < BIG_SHARE else f"client_{rng.randrange(2, CLIENTS + 1):03}"


def shipment(index: int) -> Document:
    """Return the document of a shipment; most are delivered, each has some history."""
    number = number_at(index)
    created_at = STARTED_AT - index * APART
    history = [_entry(number, Status.CREATED, created_at, index)]
    history += [
        _entry(number, status, created_at + timedelta(hours=6 * step), index)
        for step, status in enumerate(_walk(index), start=1)
    ]
    return {
        "_id": number,
        "client_id": owner_of(index),
        "origin": {"address": f"Av. Insurgentes Sur {index % 4000}", "coordinates": _seen(index)},
        "destination": {"address": f"Av. Vallarta {index % 5000}", "coordinates": _seen(index + 7)},
        "package": {"weight_kg": 0.5 + index % 300 / 10, "content_description": "Refacciones"},
        "current_status": history[-1]["status"],
        "status_history": history,
        "version": len(history),
        "created_at": created_at,
        "updated_at": history[-1]["recorded_at"],
    }


def _walk(index: int) -> Sequence[Status]:
    if index % CANCELLED_EVERY == CANCELLED_EVERY // 2:
        return (Status.CANCELLED,)
    return WALK[: (0, 1, 2, 3, 4, 4, 4, 4, 4, 4)[index % 10]]


def fill(stack: RunningStack, count: int) -> None:
    """Write the stock; the indexes are there already."""
    client: MongoClient[Document] = MongoClient(stack.mongo_uri, w=1, journal=False)
    with client:
        shipments = client["shipping_system"]["shipments"]
        for lot in _lots(count):
            shipments.insert_many(lot, ordered=False)


def _lots(count: int) -> Iterator[Sequence[Document]]:
    documents = (shipment(index) for index in range(count))
    while lot := list(islice(documents, _LOT)):
        yield lot


def _entry(number: TrackingNumber, status: Status, at: datetime, index: int) -> Document:
    created = status is Status.CREATED
    source = "api" if created else f"scanner-{index % 200}"
    return {
        "event_id": creation_event_id(number) if created else event_id(number, at, source),
        "status": status.value,
        "timestamp": at,
        "source": source,
        "location": None if created else _seen(index),
        "notes": None,
        "recorded_at": at + timedelta(milliseconds=20),
    }


def _seen(index: int) -> Document:
    return {"lat": 19.4 + index % 100 / 100, "lng": -99.1 - index % 70 / 100}
