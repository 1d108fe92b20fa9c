"""`ShipmentReader` and `EventReader`: what was written, in the shapes of the API."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.commands import CreateShipment
from domain.ports import ShipmentFilter
from domain.status import Status
from tests.contract.writing import Storage, Writer
from tests.support.builders import (
    BOGOTA,
    LIMA,
    NOON,
    NUMBER,
    RECORDED_AT,
    creation,
    delivery,
    number,
    report,
)

PICKED_UP = replace(
    report(Status.PICKED_UP, notes="at the back door"),
    location={"lat": 4.65, "lng": -74.1, "address": "Calle 26"},
)


async def test_a_shipment_is_shown_with_its_history(storage: Storage) -> None:
    await (await Writer.of(storage.store)).write(creation(), PICKED_UP)
    assert await storage.shipments.get(NUMBER) == {
        "tracking_number": NUMBER,
        "client_id": "client_001",
        "origin": BOGOTA,
        "destination": LIMA,
        "package": {"weight_kg": 2.5},
        "current_status": "picked_up",
        "status_history": [
            {
                "event_id": f"evt_{NUMBER}_created",
                "status": "created",
                "timestamp": NOON,
                "source": "api",
                "location": None,
                "notes": None,
                "recorded_at": RECORDED_AT,
            },
            {
                "event_id": PICKED_UP.event_id,
                "status": "picked_up",
                "timestamp": PICKED_UP.timestamp,
                "source": "scanner-1",
                "location": {"lat": 4.65, "lng": -74.1, "address": "Calle 26"},
                "notes": "at the back door",
                "recorded_at": RECORDED_AT,
            },
        ],
        "version": 2,
        "created_at": NOON,
        "updated_at": RECORDED_AT,
    }


async def test_an_applied_event_is_shown_with_its_outcome(storage: Storage) -> None:
    await (await Writer.of(storage.store)).write(creation(), PICKED_UP)
    assert await storage.events.get(PICKED_UP.event_id) == {
        "event_id": PICKED_UP.event_id,
        "tracking_number": NUMBER,
        "client_id": "client_001",
        "status": "picked_up",
        "timestamp": PICKED_UP.timestamp,
        "source": "scanner-1",
        "location": {"lat": 4.65, "lng": -74.1, "address": "Calle 26"},
        "notes": "at the back door",
        "outcome": "applied",
        "reason": None,
        "attempts": 1,
        "duplicates": 0,
        "conflicts": 0,
        "partition": 3,
        "offset": 1,
        "received_at": PICKED_UP.received_at,
        "recorded_at": RECORDED_AT,
        "submitted_by": "driver_user_001",
    }


async def test_a_creation_is_an_event_too(storage: Storage) -> None:
    await (await Writer.of(storage.store)).write(creation(request_key="secret digest"))
    event = await storage.events.get(creation().event_id)
    assert event is not None
    assert (event["status"], event["source"], event["outcome"]) == ("created", "api", "applied")
    assert "secret digest" not in str(event)


async def test_a_rejected_event_is_shown_with_its_reason(storage: Storage) -> None:
    await (await Writer.of(storage.store)).write(PICKED_UP)
    event = await storage.events.get(PICKED_UP.event_id)
    assert event is not None
    assert (event["outcome"], event["reason"]) == ("rejected", "SHIPMENT_NOT_FOUND")
    assert event["client_id"] is None


async def test_a_dead_event_is_shown_with_the_words_for_the_operator(storage: Storage) -> None:
    await storage.store.bury(
        "shipments.events/3", delivery(PICKED_UP, 7), reason="KeyError: 'x'", recorded_at=RECORDED_AT
    )
    event = await storage.events.get(PICKED_UP.event_id)
    assert event is not None
    assert (event["outcome"], event["reason"]) == ("dead", "KeyError: 'x'")
    assert (event["attempts"], event["duplicates"], event["conflicts"]) == (1, 0, 0)
    assert (event["offset"], event["tracking_number"]) == (7, NUMBER)


async def test_what_does_not_exist_is_none(storage: Storage) -> None:
    assert await storage.shipments.get(NUMBER) is None
    assert await storage.events.get(PICKED_UP.event_id) is None


def _ten_shipments() -> list[CreateShipment]:
    """Shipments 0 to 9, one a minute; the odd ones belong to client_002."""
    return [
        creation(
            number(index),
            client_id="client_002" if index % 2 else "client_001",
            at=NOON + timedelta(minutes=index),
        )
        for index in range(10)
    ]


async def shown(
    storage: Storage, matching: ShipmentFilter, *, limit: int = 100, offset: int = 0
) -> tuple[list[int], int]:
    """Return which of the ten shipments are on a page, by index, and how many match."""
    page, total = await storage.shipments.page(matching, limit=limit, offset=offset)
    indexes = {number(index): index for index in range(10)}
    return [indexes[each["tracking_number"]] for each in page], total


@pytest.mark.parametrize(
    ("limit", "offset", "expected"),
    [
        (100, 0, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (3, 0, [9, 8, 7]),
        (3, 3, [6, 5, 4]),
        (3, 9, [0]),
        (3, 10, []),
    ],
)
async def test_shipments_are_paged_newest_first(
    storage: Storage, limit: int, offset: int, expected: list[int]
) -> None:
    await (await Writer.of(storage.store)).write(*reversed(_ten_shipments()))
    assert await shown(storage, ShipmentFilter(), limit=limit, offset=offset) == (expected, 10)


@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        (ShipmentFilter(client_id="client_001"), [8, 6, 4, 2, 0]),
        (ShipmentFilter(status=Status.PICKED_UP), [2, 1, 0]),
        (ShipmentFilter(client_id="client_002", status=Status.PICKED_UP), [1]),
        (ShipmentFilter(client_id="client_002", status=Status.CREATED), [9, 7, 5, 3]),
        (ShipmentFilter(client_id="client_003"), []),
        (ShipmentFilter(status=Status.CANCELLED), []),
    ],
)
async def test_shipments_are_filtered_by_client_and_status(
    storage: Storage, matching: ShipmentFilter, expected: list[int]
) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(*_ten_shipments())
    await writer.write(*(report(Status.PICKED_UP, number(index)) for index in range(3)))
    assert await shown(storage, matching) == (expected, len(expected))


async def test_the_total_counts_all_that_match_not_the_page(storage: Storage) -> None:
    await (await Writer.of(storage.store)).write(*_ten_shipments())
    assert await shown(storage, ShipmentFilter(client_id="client_001"), limit=2, offset=1) == ([6, 4], 5)


async def test_no_shipments_are_an_empty_page(storage: Storage) -> None:
    assert await storage.shipments.page(ShipmentFilter(), limit=10, offset=0) == ([], 0)
