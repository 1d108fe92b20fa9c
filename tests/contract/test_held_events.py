"""`ShipmentStore`, early events: held, released, ended and counted, and all of it read back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.ports.core import Document
from domain.shipments.commands import Command, ReportStatus
from domain.shipments.shipment import HeldEvent
from domain.shipments.status import Status
from tests.contract.writing import Storage, Writer
from tests.support.builders import (
    NUMBER,
    RECORDED_AT,
    ROUTE,
    checkpoint,
    creation,
    payload_fingerprint,
    report,
    shipment_after,
)

HOLD = timedelta(hours=24)
CREATION = creation()
PICKED_UP, IN_WAREHOUSE, IN_TRANSIT, DELIVERED = (report(status) for status in ROUTE)
RICH = replace(
    IN_WAREHOUSE,
    location={"lat": 4.6, "lng": -74.1, "address": "Bodega Fontibón"},
    notes="two parcels",
    utc_offset="-05:00",
)


def held(command: ReportStatus, offset: int) -> HeldEvent:
    return HeldEvent(
        command=command,
        fingerprint=payload_fingerprint(command),
        offset=offset,
        held_until=command.received_at + HOLD,
    )


async def event(storage: Storage, command: ReportStatus) -> Document:
    found = await storage.events.get(command.event_id)
    assert found is not None
    return found


async def test_a_held_event_is_read_back_whole_and_not_shown_with_its_shipment(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, IN_TRANSIT, hold=HOLD)
    await writer.write(RICH, hold=HOLD)
    loaded = await storage.store.load([NUMBER])
    assert loaded == {NUMBER: replace(shipment_after(CREATION), held=(held(IN_TRANSIT, 1), held(RICH, 2)))}
    shown = await storage.shipments.get(NUMBER)
    assert shown is not None
    assert (shown["version"], "held" in shown) == (1, False)
    found = await event(storage, RICH)
    assert (found["outcome"], found["held_until"]) == ("rejected", RICH.received_at + HOLD)
    assert not {"hold", "released", "released_by"} & found.keys()


@pytest.mark.parametrize("batches", [1, 2, 4])
async def test_released_events_are_applied_in_one_go(storage: Storage, batches: int) -> None:
    writer = await Writer.of(storage.store)
    commands: list[Command] = [CREATION, IN_TRANSIT, RICH, PICKED_UP]
    size = len(commands) // batches
    for start in range(0, len(commands), size):
        await writer.write(*commands[start : start + size], hold=HOLD)
    loaded = await storage.store.load([NUMBER])
    assert loaded == {NUMBER: shipment_after(CREATION, PICKED_UP, RICH, IN_TRANSIT)}
    shown = await storage.shipments.get(NUMBER)
    assert shown is not None
    line = shown["status_history"][2]
    assert {name: line[name] for name in ("event_id", "status", "timestamp", "notes", "utc_offset")} == {
        "event_id": RICH.event_id,
        "status": "in_warehouse",
        "timestamp": RICH.timestamp,
        "notes": "two parcels",
        "utc_offset": "-05:00",
    }
    found = await event(storage, RICH)
    names = ("outcome", "reason", "held_until", "attempts", "offset", "received_at", "recorded_at")
    expected = ("applied", None, None, 2, 2, RICH.received_at, RECORDED_AT)
    assert tuple(found[name] for name in names) == expected
    assert not {"current_status", "may_follow"} & found.keys()


LATE = replace(checkpoint(), received_at=IN_WAREHOUSE.received_at + HOLD + timedelta(seconds=1))
CONTRADICTION = replace(checkpoint(), event_id=IN_WAREHOUSE.event_id)


@pytest.mark.parametrize("ends_it", [LATE, CONTRADICTION], ids=["expired", "replaced"])
async def test_a_hold_that_begins_and_ends_in_one_batch_leaves_the_shipment_as_it_was(
    storage: Storage, ends_it: Command
) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, hold=HOLD)
    before = await storage.shipments.get(NUMBER)
    await writer.write(IN_WAREHOUSE, ends_it, hold=HOLD)
    assert await storage.store.load([NUMBER]) == {NUMBER: shipment_after(CREATION)}
    assert await storage.shipments.get(NUMBER) == before
    found = await event(storage, IN_WAREHOUSE)
    assert (found["outcome"], found["held_until"]) == ("rejected", None)


async def test_the_releaser_knows_what_it_released(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, IN_TRANSIT, RICH, hold=HOLD)
    await writer.write(PICKED_UP, hold=HOLD)
    records = await storage.store.find_events([PICKED_UP.event_id, RICH.event_id])
    releaser, released = records[PICKED_UP.event_id], records[RICH.event_id]
    assert releaser is not None
    assert released is not None
    assert (releaser.version, releaser.released) == (2, (held(RICH, 2), held(IN_TRANSIT, 1)))
    assert (released.version, released.released_by) == (3, PICKED_UP.event_id)


async def test_a_resend_is_counted_and_stays_known_after_the_release(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, RICH, hold=HOLD)
    later = replace(RICH, received_at=RICH.received_at + timedelta(hours=1), utc_offset=None)
    await writer.write(later, hold=HOLD)
    found = await event(storage, RICH)
    assert (found["attempts"], found["received_at"], found["offset"]) == (2, RICH.received_at, 1)
    assert found["held_until"] == RICH.received_at + HOLD
    await writer.write(PICKED_UP, hold=HOLD)
    record = (await storage.store.find_events([RICH.event_id]))[RICH.event_id]
    assert record is not None
    assert (record.offset, record.last_offset) == (1, 2), "its redelivery must be recognised"
    await writer.write(later, hold=HOLD)
    found = await event(storage, RICH)
    assert (found["attempts"], found["duplicates"], found["utc_offset"]) == (3, 1, "-05:00")


@pytest.mark.parametrize(
    "end",
    [
        report(Status.CANCELLED),
        replace(PICKED_UP, received_at=IN_WAREHOUSE.received_at + HOLD + timedelta(seconds=1)),
    ],
    ids=["unreachable", "expired"],
)
async def test_a_hold_that_ends_leaves_the_event_rejected(storage: Storage, end: ReportStatus) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, IN_WAREHOUSE, hold=HOLD)
    await writer.write(end, hold=HOLD)
    assert await storage.store.load([NUMBER]) == {NUMBER: shipment_after(CREATION, end)}
    found = await event(storage, IN_WAREHOUSE)
    assert (found["outcome"], found["reason"], found["held_until"]) == (
        "rejected",
        "INVALID_TRANSITION",
        None,
    )
    assert (found["attempts"], found["offset"]) == (1, 1)


async def test_a_conflict_in_the_batch_of_the_release_is_kept(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, IN_WAREHOUSE, hold=HOLD)
    await writer.write(IN_WAREHOUSE, hold=HOLD)
    await writer.write(PICKED_UP, replace(IN_WAREHOUSE, notes="otherwise"), hold=HOLD)
    found = await event(storage, IN_WAREHOUSE)
    assert (found["outcome"], found["attempts"], found["conflicts"]) == ("applied", 3, 1)
    assert (found["held_until"], found["notes"]) == (None, None)
    assert [each["notes"] for each in found["other_payloads"]] == ["otherwise"]
    record = (await storage.store.find_events([IN_WAREHOUSE.event_id]))[IN_WAREHOUSE.event_id]
    assert record is not None
    assert record.last_offset == 4


async def test_another_payload_of_a_held_event_is_held_instead(storage: Storage) -> None:
    other = replace(IN_WAREHOUSE, notes="the other door")
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, IN_WAREHOUSE, hold=HOLD)
    await writer.write(other, hold=HOLD)
    assert await storage.store.load([NUMBER]) == {
        NUMBER: replace(shipment_after(CREATION), held=(held(other, 2),))
    }
    await writer.write(PICKED_UP, hold=HOLD)
    found = await event(storage, IN_WAREHOUSE)
    assert (found["outcome"], found["notes"], found["held_until"]) == ("applied", "the other door", None)
    assert [each["reason"] for each in found["other_payloads"]] == ["INVALID_TRANSITION"]


async def test_without_a_hold_the_documents_say_nothing_of_one(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, IN_TRANSIT)
    await writer.write(PICKED_UP, IN_TRANSIT)
    assert await storage.store.load([NUMBER]) == {NUMBER: shipment_after(CREATION, PICKED_UP)}
    found = await event(storage, IN_TRANSIT)
    assert (found["outcome"], found["attempts"], "held_until" in found) == ("rejected", 2, False)
