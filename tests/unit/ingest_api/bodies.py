"""Valid bodies, and ways to make them invalid."""

from copy import deepcopy
from typing import Any

from tests.support.builders import NUMBER

Body = dict[str, Any]


def event_body(**members: object) -> Body:
    """Return one event with every optional field; `members` replace its own."""
    return {
        "tracking_number": NUMBER,
        "status": "picked_up",
        "timestamp": "2026-03-01T12:00:00.123Z",
        "source": "scanner-1",
        "location": {"lat": 4.6, "lng": -74.1, "address": "Bogotá"},
        "notes": "at the gate",
    } | members


def shipment_body(**members: object) -> Body:
    """Return one shipment with every optional field; `members` replace its own."""
    return {
        "client_id": "client_001",
        "origin": {"address": "Calle 26", "coordinates": {"lat": 4.6, "lng": -74.1}},
        "destination": {"address": "Av. Arequipa", "coordinates": {"lat": -12.1, "lng": -77.0}},
        "package": {
            "weight_kg": 2.5,
            "dimensions": {"length": 30, "width": 20, "height": 10},
            "content_description": "books",
        },
    } | members


def flat_body(**members: object) -> Body:
    """Return the shipment of `shipment_body` in the flat form."""
    return {
        "origin_address": "Calle 26",
        "origin_lat": 4.6,
        "origin_lng": -74.1,
        "destination_address": "Av. Arequipa",
        "destination_lat": -12.1,
        "destination_lng": -77.0,
        "weight_kg": 2.5,
        "length_cm": 30,
        "width_cm": 20,
        "height_cm": 10,
        "content_description": "books",
        "client_id": "client_001",
    } | members


def changed(body: Body, path: str, value: object) -> Body:
    """Return a copy with another value at `path` (`a/b/c`)."""
    copy = deepcopy(body)
    *parents, last = path.split("/")
    place = copy
    for name in parents:
        place = place[name]
    place[last] = value
    return copy


def without(body: Body, path: str) -> Body:
    """Return a copy without the field at `path`."""
    copy = deepcopy(body)
    *parents, last = path.split("/")
    place = copy
    for name in parents:
        place = place[name]
    del place[last]
    return copy
