"""`EventReader.page`: the audit trail of a shipment."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.ports.queries import EventFilter, Period, Window
from domain.processing.batch import Outcome
from domain.shipments.commands import Command
from domain.shipments.event_identity import event_id
from domain.shipments.status import Status
from tests.contract.walking import walked
from tests.contract.writing import Storage, Writer
from tests.support.builders import NOON, NUMBER, creation, number, report

SECOND = timedelta(seconds=1)
TOO_EARLY = report(Status.IN_TRANSIT, at=NOON - SECOND, source="before it was registered")
CREATION = creation()
PICKED_UP = report(Status.PICKED_UP, at=NOON + SECOND)
STORED = report(Status.IN_WAREHOUSE, at=NOON + 2 * SECOND)
TOO_SOON = report(Status.DELIVERED, at=NOON + 3 * SECOND, source="scanner-2")
TRAIL: list[Command] = [TOO_EARLY, CREATION, PICKED_UP, STORED, TOO_SOON]
IDS = [each.event_id for each in TRAIL]


@pytest.fixture(autouse=True)
async def trail(storage: Storage) -> None:
    """Store a trail whose first event was rejected, for there was no shipment; the shipment came later."""
    writer = await Writer.of(storage.store)
    await writer.write(TOO_EARLY)
    await writer.write(CREATION, STORED, PICKED_UP, TOO_SOON)
    await writer.write(STORED, PICKED_UP, replace(PICKED_UP, notes="a contradiction"))
    neighbours = [number(2), number(3)]
    await writer.write(*(creation(each) for each in neighbours))
    await writer.write(*(report(Status.PICKED_UP, each) for each in neighbours))


async def shown(storage: Storage, matching: EventFilter, window: Window) -> tuple[list[str], int]:
    page = await storage.events.page(matching, window)
    return [event["event_id"] for event in page.data], page.total


@pytest.mark.parametrize("offset", range(7))
@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_a_trail_is_in_the_order_of_time(storage: Storage, limit: int, offset: int) -> None:
    window = Window(limit=limit, offset=offset)
    expected = IDS[offset : offset + limit]
    assert await shown(storage, EventFilter(tracking_number=NUMBER), window) == (expected, 5)


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_a_walk_shows_each_once_and_ends(storage: Storage, limit: int) -> None:
    matching = EventFilter(tracking_number=NUMBER)
    events = await walked(lambda window: storage.events.page(matching, window), total=len(IDS), limit=limit)
    assert [event["event_id"] for event in events] == IDS


async def test_an_event_shows_all_of_its_outcomes(storage: Storage) -> None:
    page = await storage.events.page(EventFilter(tracking_number=NUMBER), Window(limit=100))
    assert [event["outcome"] for event in page.data] == [
        "rejected",
        "applied",
        "applied",
        "applied",
        "rejected",
    ]
    picked_up = page.data[2]
    assert picked_up == await storage.events.get(PICKED_UP.event_id)
    assert (picked_up["attempts"], picked_up["duplicates"], picked_up["conflicts"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        (EventFilter(tracking_number=NUMBER, outcome=Outcome.REJECTED), [0, 4]),
        (EventFilter(tracking_number=NUMBER, outcome=Outcome.APPLIED), [1, 2, 3]),
        (EventFilter(tracking_number=NUMBER, outcome=Outcome.DEAD), []),
        (EventFilter(tracking_number=NUMBER, conflicting=True), [2]),
        (EventFilter(tracking_number=NUMBER, conflicting=True, outcome=Outcome.REJECTED), []),
        (EventFilter(tracking_number=NUMBER, status=Status.CREATED), [1]),
        (EventFilter(tracking_number=NUMBER, source="scanner-2"), [4]),
        (EventFilter(tracking_number=NUMBER, source="api"), [1]),
        (EventFilter(tracking_number=NUMBER, client_id="client_001"), [0, 1, 2, 3, 4]),
        (EventFilter(tracking_number=NUMBER, client_id="client_002"), [0]),
        (EventFilter(tracking_number=NUMBER, period=Period(start=NOON)), [1, 2, 3, 4]),
        (EventFilter(tracking_number=NUMBER, period=Period(end=NOON)), [0]),
        (
            EventFilter(tracking_number=NUMBER, period=Period(start=NOON + SECOND, end=NOON + 3 * SECOND)),
            [2, 3],
        ),
        (EventFilter(tracking_number=number(9)), []),
    ],
)
async def test_filters(storage: Storage, matching: EventFilter, expected: list[int]) -> None:
    wanted = [IDS[index] for index in expected]
    assert await shown(storage, matching, Window(limit=100)) == (wanted, len(wanted))
    assert await shown(storage, matching, Window(limit=100, offset=1)) == (wanted[1:], len(wanted))


async def test_a_payload_that_gave_way_is_found_where_nothing_was_a_conflict(storage: Storage) -> None:
    moved = report(Status.IN_TRANSIT, at=NOON + 9 * SECOND)
    matching = EventFilter(tracking_number=NUMBER, conflicting=True)
    writer = await Writer.of(storage.store)
    writer.offset = 100
    await writer.write(replace(moved, status=Status.DELIVERED))
    assert await shown(storage, matching, Window(limit=9)) == ([PICKED_UP.event_id], 1)
    await writer.write(moved)
    assert await shown(storage, matching, Window(limit=9)) == ([PICKED_UP.event_id, moved.event_id], 2)
    event = await storage.events.get(moved.event_id)
    assert event is not None
    assert (event["outcome"], event["conflicts"]) == ("applied", 0)


async def test_at_one_instant_the_creation_comes_first(storage: Storage) -> None:
    rival = number(5)
    writer = await Writer.of(storage.store)
    writer.offset = 100
    await writer.write(creation(rival), report(Status.PICKED_UP, rival, at=NOON))
    expected = [f"evt_{rival}_created", event_id(rival, NOON, "scanner-1")]
    assert await shown(storage, EventFilter(tracking_number=rival), Window(limit=9)) == (expected, 2)
