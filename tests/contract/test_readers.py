"""`ShipmentReader` and `EventReader`: what was written, in the shapes of the API."""

from dataclasses import replace

from domain.ports.queries import Scope
from domain.shipments.status import Status
from tests.contract.writing import Storage, Writer
from tests.support.builders import (
    BOGOTA,
    LIMA,
    NOON,
    NUMBER,
    RECORDED_AT,
    consumed,
    creation,
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
    assert not event.keys() & {"origin", "destination", "package"}, "they are kept to rebuild from"


async def test_a_rejected_event_is_shown_with_its_reason(storage: Storage) -> None:
    await (await Writer.of(storage.store)).write(PICKED_UP)
    event = await storage.events.get(PICKED_UP.event_id)
    assert event is not None
    assert (event["outcome"], event["reason"]) == ("rejected", "SHIPMENT_NOT_FOUND")
    assert event["client_id"] is None


async def test_a_dead_event_is_shown_with_the_reason_for_the_operator(storage: Storage) -> None:
    fence = (await Writer.of(storage.store)).fence
    await storage.store.dead_letter(
        fence, consumed(PICKED_UP, 7), next_offset=8, reason="KeyError: 'x'", recorded_at=RECORDED_AT
    )
    event = await storage.events.get(PICKED_UP.event_id)
    assert event is not None
    assert (event["outcome"], event["reason"]) == ("dead", "KeyError: 'x'")
    assert (event["attempts"], event["duplicates"], event["conflicts"]) == (1, 0, 0)
    assert (event["offset"], event["tracking_number"]) == (7, NUMBER)


async def test_what_does_not_exist_is_none(storage: Storage) -> None:
    assert await storage.shipments.get(NUMBER) is None
    assert await storage.events.get(PICKED_UP.event_id) is None


async def test_entries_out_of_scope_exist_and_are_not_shown(storage: Storage) -> None:
    await (await Writer.of(storage.store)).write(creation(), PICKED_UP)
    for scope, is_in in (
        (Scope(client_id="client_001"), True),
        (Scope(client_id="client_002"), False),
        (Scope(client_id=""), False),
    ):
        assert (await storage.shipments.get(NUMBER, scope) is not None) is is_in
        assert await storage.shipments.exists(NUMBER, scope) is is_in
        assert (await storage.events.get(PICKED_UP.event_id, scope) is not None) is is_in
        assert await storage.shipments.exists_outside(NUMBER, scope) is not is_in
        assert await storage.events.exists_outside(PICKED_UP.event_id, scope) is not is_in
        assert not await storage.shipments.exists_outside(number(2), scope)
        assert not await storage.events.exists_outside(report(Status.DELIVERED).event_id, scope)
    assert await storage.shipments.exists(NUMBER)
    assert not await storage.shipments.exists(number(2))


async def test_a_producers_scope_is_what_it_has_sent(storage: Storage) -> None:
    await (await Writer.of(storage.store)).write(creation(), PICKED_UP)
    assert await storage.events.get(PICKED_UP.event_id, Scope(submitted_by="driver_user_001")) is not None
    assert await storage.events.get(PICKED_UP.event_id, Scope(submitted_by="driver_user_002")) is None
    assert await storage.events.exists_outside(PICKED_UP.event_id, Scope(submitted_by="driver_user_002"))
