"""Life of a shipment whose scans come early, pass hubs, and are taken back: calls, round after round."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final, NamedTuple

from domain.shipments.event_identity import EventId, event_id, retraction_event_id
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from domain.timestamps import parse_timestamp
from tests.e2e.traffic import event_body
from tests.support.api import Json
from tests.support.builders import ROUTE

_LEFT_OUT: Final = 0.15
"""Share of rounds that do not occur: what follows meets another shipment."""


class Posting(NamedTuple):
    """One call: its route, its body, and the ids of its events."""

    path: str
    body: Json
    event_ids: Sequence[str]


def id_of(event: Json) -> EventId:
    """Return the id that an event to report has."""
    number = TrackingNumber(event["tracking_number"])
    return event_id(number, parse_timestamp(event["timestamp"]), event["source"])


def reported(*events: Json) -> Posting:
    """Return the report of events, as a batch if there are several."""
    ids = [id_of(event) for event in events]
    if len(events) == 1:
        return Posting("/events", events[0], ids)
    return Posting("/events/batch", {"events": list(events)}, ids)


def retracted(event: Json) -> Posting:
    """Return the retraction of an event."""
    retracts = id_of(event)
    return Posting(
        f"/events/{retracts}/retract", {"reason": "the wrong door"}, [retraction_event_id(retracts)]
    )


def checkpoint_body(number: str, checkpoint: str) -> Json:
    """Return a checkpoint to report."""
    body = event_body(number, Status.PICKED_UP)
    del body["status"]
    return body | {"checkpoint": checkpoint}


def corrected_life(number: str, chance: Random) -> Iterator[tuple[Posting, ...]]:
    """Yield the rounds of a shipment, some of them left out; postings of one round are sent at once."""
    for postings in _rounds(number):
        if chance.random() >= _LEFT_OUT:
            yield postings


def _rounds(number: str) -> Iterator[tuple[Posting, ...]]:
    picked, stored, early, early_end = (event_body(number, status) for status in ROUTE)
    first_hub, second_hub, third_hub = (checkpoint_body(number, f"hub_{n}") for n in range(3))
    moving, delivered, delivered_again = (event_body(number, status) for status in (*ROUTE[2:], ROUTE[3]))
    yield (reported(early, early_end, picked, first_hub),)
    yield (retracted(picked),)  # not the latest
    yield (retracted(first_hub),)
    yield retracted(first_hub), reported(first_hub), reported(second_hub)  # it stays retracted
    yield (reported(stored),)  # which releases both early ones
    yield retracted(early_end), retracted(early), reported(event_body(number, Status.CANCELLED))
    yield (retracted(early_end),)
    yield (retracted(early),)
    yield (reported(stored, early, early_end),)
    yield (reported(moving, third_hub, delivered),)
    yield retracted(delivered), retracted(third_hub), reported(delivered_again)
    yield (reported(delivered_again, delivered),)
