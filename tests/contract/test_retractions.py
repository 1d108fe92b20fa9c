"""`ShipmentStore`, retractions: the history is cut, and the records tell who took what back and why."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.ports.core import Document
from domain.ports.queries import EventFilter, Period, Window
from domain.shipments.commands import Command
from domain.shipments.retraction import HistoryEntry
from domain.shipments.status import Status
from tests.contract.writing import Storage, Writer
from tests.support.builders import (
    NOON,
    NUMBER,
    ROUTE,
    amendment,
    checkpoint,
    creation,
    number,
    report,
    retraction,
    shipment_after,
)

CREATION = creation()
PICKED_UP, IN_WAREHOUSE, IN_TRANSIT, DELIVERED = JOURNEY = tuple(report(status) for status in ROUTE)
HUB, OTHER_HUB = checkpoint("arrived_at_hub"), checkpoint("departed_hub", source="b")


async def written(storage: Storage, *commands: Command, size: int) -> Writer:
    writer = await Writer.of(storage.store)
    for start in range(0, len(commands), size):
        await writer.write(*commands[start : start + size])
    return writer


async def shown(storage: Storage) -> Document:
    found = await storage.shipments.get(NUMBER)
    assert found is not None
    return found


def walked(shipment: Document) -> list[str]:
    return [each.get("checkpoint", each["status"]) for each in shipment["status_history"]]


@pytest.mark.parametrize("size", [1, 2, 3, 20])
async def test_a_history_shows_what_holds_in_however_many_batches(storage: Storage, size: int) -> None:
    again = report(Status.IN_WAREHOUSE, source="another")
    commands: list[Command] = [CREATION, *JOURNEY, *map(retraction, JOURNEY[:0:-1]), amendment(), again]
    await written(storage, *commands, size=size)
    shipment = await shown(storage)
    assert walked(shipment) == ["created", "picked_up", "in_warehouse"]
    assert (shipment["current_status"], shipment["version"]) == ("in_warehouse", 10)
    loaded = (await storage.store.load([NUMBER]))[NUMBER]
    expected = shipment_after(CREATION, PICKED_UP, again)
    assert replace(loaded, version=3) == expected


@pytest.mark.parametrize("size", [1, 2, 20])
async def test_checkpoints_are_taken_back_one_after_the_other(storage: Storage, size: int) -> None:
    commands: list[Command] = [CREATION, PICKED_UP, HUB, OTHER_HUB, retraction(OTHER_HUB)]
    writer = await written(storage, *commands, size=size)
    shipment = await shown(storage)
    assert walked(shipment) == ["created", "picked_up", "arrived_at_hub"]
    assert shipment["last_checkpoint"]["checkpoint"] == "arrived_at_hub"
    await writer.write(retraction(HUB), retraction(PICKED_UP))
    shipment = await shown(storage)
    assert (walked(shipment), shipment["version"]) == (["created"], 7)
    assert "last_checkpoint" not in shipment
    loaded = (await storage.store.load([NUMBER]))[NUMBER]
    assert replace(loaded, version=1) == shipment_after(CREATION)


@pytest.mark.parametrize("size", [1, 20])
async def test_the_status_before_is_recorded_where_nothing_else_tells_it(storage: Storage, size: int) -> None:
    cancelled = report(Status.CANCELLED, source="api")
    taken_back = retraction(cancelled)
    await written(storage, CREATION, PICKED_UP, cancelled, taken_back, size=size)
    ids = [each.event_id for each in (CREATION, PICKED_UP, cancelled, taken_back)]
    found = await storage.store.find_events(ids)
    recorded = [record.previous_status for each in ids if (record := found[each]) is not None]
    assert recorded == [None, None, Status.PICKED_UP, Status.CANCELLED]


@pytest.mark.parametrize("size", [40, 300])
async def test_checkpoints_that_the_document_has_lost_are_taken_back_too(storage: Storage, size: int) -> None:
    hubs: list[Command] = [checkpoint(f"hub_{n}", at=NOON + timedelta(minutes=n)) for n in range(103)]
    last_hub = checkpoint("last_hub", at=NOON + timedelta(hours=3))
    commands: list[Command] = [CREATION, PICKED_UP, *hubs, *map(retraction, hubs[:2:-1])]
    writer = await written(storage, *commands, IN_WAREHOUSE, last_hub, size=size)
    assert walked(await shown(storage)) == ["created", "picked_up", "in_warehouse", "last_hub"]
    await writer.write(*map(retraction, (PICKED_UP, last_hub, IN_WAREHOUSE, PICKED_UP, *hubs[2::-1])))
    shipment = await shown(storage)
    assert (walked(shipment), shipment["current_status"]) == (["created", "picked_up"], "picked_up")
    await writer.write(retraction(PICKED_UP))
    assert walked(await shown(storage)) == ["created"]
    loaded = (await storage.store.load([NUMBER]))[NUMBER]
    assert replace(loaded, version=1) == shipment_after(CREATION)


async def test_the_records_tell_who_took_what_back_and_why(storage: Storage) -> None:
    await written(storage, CREATION, PICKED_UP, retraction(PICKED_UP), PICKED_UP, size=1)
    record = await storage.events.get(PICKED_UP.event_id)
    back = await storage.events.get(retraction(PICKED_UP).event_id)
    assert record is not None
    assert back is not None
    assert (record["outcome"], record["reason"], record["duplicates"]) == ("rejected", "RETRACTED", 1)
    assert (record["offset"], record["attempts"]) == (1, 1)
    assert back["retraction"] == {"event_id": PICKED_UP.event_id, "reason": "scanned at the wrong door"}
    assert (back["outcome"], back["status"], back["submitted_by"]) == ("applied", "created", "admin_user")
    known = (await storage.store.find_events([PICKED_UP.event_id]))[PICKED_UP.event_id]
    assert known is not None
    assert (known.version, known.has_been_applied, known.last_offset) == (2, True, 3)


async def test_histories_are_loaded_with_their_checkpoints(storage: Storage) -> None:
    await written(storage, CREATION, PICKED_UP, HUB, IN_WAREHOUSE, size=2)
    assert await storage.store.load_histories({NUMBER: 1, number(2): 1}) == {
        NUMBER: [
            HistoryEntry(CREATION.event_id, Status.CREATED),
            HistoryEntry(PICKED_UP.event_id, Status.PICKED_UP),
            HistoryEntry(HUB.event_id, Status.PICKED_UP),
            HistoryEntry(IN_WAREHOUSE.event_id, Status.IN_WAREHOUSE),
        ]
    }


async def test_a_trail_has_a_retraction_behind_its_event_and_at_its_time(storage: Storage) -> None:
    at = {name: NOON + timedelta(hours=hour) for hour, name in enumerate(("a", "b", "c"), 1)}
    first, second = report(Status.PICKED_UP, at=at["a"]), report(Status.PICKED_UP, at=at["b"], source="b")
    back = retraction(first, at=at["c"])
    await written(storage, CREATION, first, back, second, size=2)
    ids = [each.event_id for each in (CREATION, first, back, second)]
    page = await storage.events.page(EventFilter(tracking_number=NUMBER), Window(limit=2))
    rest = await storage.events.page(EventFilter(tracking_number=NUMBER), Window(limit=9, after=page.last))
    assert [each["event_id"] for each in page.data + rest.data] == ids
    later = EventFilter(tracking_number=NUMBER, period=Period(start=at["b"]))
    assert [each["event_id"] for each in (await storage.events.page(later, Window(limit=9))).data] == ids[3:]


async def test_events_that_report_no_status_are_not_found_by_one(storage: Storage) -> None:
    commands: list[Command] = [CREATION, amendment(), PICKED_UP, HUB, OTHER_HUB, retraction(OTHER_HUB)]
    await written(storage, *commands, size=9)
    for status, expected in ((Status.CREATED, CREATION), (Status.PICKED_UP, PICKED_UP)):
        matching = EventFilter(tracking_number=NUMBER, status=status)
        page = await storage.events.page(matching, Window(limit=9))
        assert [each["event_id"] for each in page.data] == [expected.event_id]
        assert page.total == 1
