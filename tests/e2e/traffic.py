"""Test data: shipments and events, each event with an instant of its own unless given one."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import count

from domain.shipments.status import Status
from domain.timestamps import format_timestamp
from tests.support.api import Api, Json
from tests.support.builders import BOGOTA, LIMA, ROUTE

_instants = (datetime.now(UTC) - timedelta(days=1) + timedelta(milliseconds=n) for n in count())

PATH_TO: dict[Status, tuple[Status, ...]] = {
    Status.CREATED: (),
    **{status: ROUTE[: place + 1] for place, status in enumerate(ROUTE)},
    Status.CANCELLED: (Status.CANCELLED,),
}
"""The events that bring a new shipment to a status."""


def shipment_body(client_id: str | None = "client_001", *, weight_kg: float = 2.5) -> Json:
    """Return a shipment to register; without `client_id` it names no owner."""
    body: Json = {
        "origin": deepcopy(BOGOTA),  # the caller may change it: the fuzz test does
        "destination": deepcopy(LIMA),
        "package": {
            "weight_kg": weight_kg,
            "dimensions": {"length": 30.0, "width": 20.0, "height": 10.0},
            "content_description": "Repuestos de máquina de café",
        },
    }
    return body if client_id is None else {"client_id": client_id} | body


def event_body(
    tracking_number: str, status: Status | str, *, source: str = "scanner-1", notes: str | None = None
) -> Json:
    """Return an event to report."""
    body: Json = {
        "tracking_number": tracking_number,
        "status": str(status),
        "timestamp": format_timestamp(next(_instants)),
        "source": source,
        "location": {"lat": 4.6482, "lng": -74.1025, "address": "Bodega Fontibón"},
    }
    return body if notes is None else body | {"notes": notes}


async def shipment_at(status: Status, *, admin: Api, driver: Api) -> str:
    """Register a shipment, report it to `status`, and return its number once it is there."""
    number = await admin.created(shipment_body())
    events = [event_body(number, step) for step in PATH_TO[status]]
    if events:
        ids = await driver.batch_reported(events)
        await driver.outcome(ids[-1])
    return number


def eventful_life(number: str) -> list[Json]:
    """Return the life of a shipment with every complication: repeats, contradictions, and illegal events."""
    picked, stored, moving, delivered = (event_body(number, status) for status in ROUTE)
    return [
        moving | {"source": "too-early"},
        picked,
        picked,
        event_body(number, Status.PICKED_UP, notes="again, at another time"),
        picked | {"status": "cancelled"},
        stored,
        delivered | {"source": "too-early"},
        moving,
        picked,
        stored | {"notes": "a contradiction"},
        event_body(number, Status.CANCELLED),
        delivered,
        delivered,
        event_body(number, Status.IN_TRANSIT),
    ]


def chunks(events: Sequence[Json], size: int) -> Iterable[Sequence[Json]]:
    """Cut a sequence into batches, none of which contradicts itself: such a batch is rejected."""
    batch: list[Json] = []
    said: dict[tuple[str, str, str], Json] = {}
    for event in events:
        identity = (event["tracking_number"], event["source"], event["timestamp"])
        if len(batch) == size or said.get(identity, event) != event:
            yield batch
            batch, said = [], {}
        batch.append(event)
        said[identity] = event
    if batch:
        yield batch
