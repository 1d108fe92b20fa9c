"""`ShipmentReader.page`: filters, order, totals, and walks from cursor to cursor."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.ports.queries import Period, ShipmentFilter, Window
from domain.shipments.commands import CreateShipment
from domain.shipments.status import Status
from tests.contract.walking import walked
from tests.contract.writing import Storage, Writer
from tests.support.builders import NOON, RECORDED_AT, creation, number, report

ORDER = "order/4711 $ñ"
EVERY = Window(limit=100)
TEN = {number(index): index for index in range(10)}
BY_NUMBER = [TEN[tracking_number] for tracking_number in sorted(TEN)]


def minute(index: int) -> timedelta:
    return timedelta(minutes=index)


def ten_shipments() -> list[CreateShipment]:
    """Shipments 0 to 9, one a minute; the odd ones belong to client_002, every third has a reference."""
    return [
        replace(
            creation(number(index), client_id=f"client_00{1 + index % 2}", at=NOON + minute(index)),
            reference=None if index % 3 else ORDER,
        )
        for index in range(10)
    ]


@pytest.fixture
async def writer(storage: Storage) -> Writer:
    """Give the writer of the ten, of which 0, 1 and 2 have been picked up."""
    writer = await Writer.of(storage.store)
    await writer.write(*reversed(ten_shipments()))
    await writer.write(*(report(Status.PICKED_UP, number(index)) for index in range(3)))
    return writer


async def shown(storage: Storage, matching: ShipmentFilter, window: Window = EVERY) -> tuple[list[int], int]:
    """Return which of the ten shipments are on a page, by index, and how many match."""
    page = await storage.shipments.page(matching, window)
    return [TEN[each["tracking_number"]] for each in page.data], page.total


@pytest.mark.usefixtures("writer")
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
    assert await shown(storage, ShipmentFilter(), Window(limit=limit, offset=offset)) == (expected, 10)


@pytest.mark.usefixtures("writer")
@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        (ShipmentFilter(client_id="client_001"), [8, 6, 4, 2, 0]),
        (ShipmentFilter(statuses=(Status.PICKED_UP,)), [2, 1, 0]),
        (ShipmentFilter(client_id="client_002", statuses=(Status.PICKED_UP,)), [1]),
        (ShipmentFilter(client_id="client_002", statuses=(Status.CREATED,)), [9, 7, 5, 3]),
        (ShipmentFilter(statuses=(Status.CREATED, Status.PICKED_UP)), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (
            ShipmentFilter(client_id="client_001", statuses=(Status.CREATED, Status.PICKED_UP)),
            [8, 6, 4, 2, 0],
        ),
        (ShipmentFilter(client_id="client_003"), []),
        (ShipmentFilter(reference=ORDER), [9, 6, 3, 0]),
        (ShipmentFilter(reference=ORDER, client_id="client_001"), [6, 0]),
        (ShipmentFilter(reference=ORDER, client_id="client_003"), []),
        (ShipmentFilter(reference=ORDER, statuses=(Status.PICKED_UP,)), [0]),
        (ShipmentFilter(reference=ORDER, prefix=number(3)), [3]),
        (ShipmentFilter(reference=ORDER, created=Period(start=NOON + minute(6))), [9, 6]),
        (ShipmentFilter(reference=ORDER.upper()), []),
        (ShipmentFilter(reference="order"), []),
        (ShipmentFilter(statuses=(Status.CANCELLED,)), []),
        (ShipmentFilter(created=Period(start=NOON + minute(3), end=NOON + minute(6))), [5, 4, 3]),
        (ShipmentFilter(client_id="client_001", created=Period(end=NOON + minute(4))), [2, 0]),
        (ShipmentFilter(statuses=(Status.CREATED,), created=Period(end=NOON + minute(5))), [4, 3]),
        (ShipmentFilter(prefix=number(4)), [4]),
        (ShipmentFilter(prefix="99M-"), BY_NUMBER),
        (ShipmentFilter(prefix="99M-", client_id="client_002"), [9, 7, 5, 3, 1]),
        (ShipmentFilter(prefix=number(4), client_id="client_002"), []),
        (ShipmentFilter(prefix="99M-Z"), []),
        (ShipmentFilter(updated=Period(start=RECORDED_AT)), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (ShipmentFilter(updated=Period(end=RECORDED_AT)), []),
        (
            ShipmentFilter(client_id="client_001", updated=Period(end=RECORDED_AT + minute(1))),
            [8, 6, 4, 2, 0],
        ),
    ],
)
async def test_filters(storage: Storage, matching: ShipmentFilter, expected: list[int]) -> None:
    assert await shown(storage, matching) == (expected, len(expected))


@pytest.mark.usefixtures("writer")
async def test_the_total_counts_all_that_match_not_the_page(storage: Storage) -> None:
    window = Window(limit=2, offset=1)
    assert await shown(storage, ShipmentFilter(client_id="client_001"), window) == ([6, 4], 5)


async def test_no_shipments_are_an_empty_page(storage: Storage) -> None:
    page = await storage.shipments.page(ShipmentFilter(), Window(limit=10))
    assert (page.data, page.total, page.last) == ([], 0, None)


@pytest.mark.usefixtures("writer")
@pytest.mark.parametrize(
    "matching",
    [
        ShipmentFilter(),
        ShipmentFilter(client_id="client_001"),
        ShipmentFilter(client_id="client_002", statuses=(Status.CREATED, Status.PICKED_UP)),
        ShipmentFilter(statuses=(Status.CREATED, Status.DELIVERED)),
        ShipmentFilter(prefix="99M-"),
        ShipmentFilter(prefix="99M-", client_id="client_001"),
        ShipmentFilter(created=Period(start=NOON + minute(1), end=NOON + minute(8))),
        ShipmentFilter(updated=Period(start=RECORDED_AT)),
    ],
)
@pytest.mark.parametrize("limit", [1, 3, 10])
async def test_a_walk_shows_each_once_and_ends(
    storage: Storage, matching: ShipmentFilter, limit: int
) -> None:
    at_once, total = await shown(storage, matching)
    found = await walked(
        lambda window: storage.shipments.page(matching, window),
        total=total,
        limit=limit,
    )
    assert [TEN[each["tracking_number"]] for each in found] == at_once


async def test_shipments_of_one_instant_are_ordered_by_number(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(*(creation(tracking_number, at=NOON) for tracking_number in TEN))
    first = await storage.shipments.page(ShipmentFilter(), Window(limit=4))
    rest = await storage.shipments.page(ShipmentFilter(), Window(limit=10, after=first.last))
    shown_numbers = [each["tracking_number"] for each in first.data + rest.data]
    assert shown_numbers == sorted(TEN, reverse=True)


async def test_what_is_added_while_somebody_walks_moves_nothing(storage: Storage, writer: Writer) -> None:
    matching = ShipmentFilter(client_id="client_001")
    first = await storage.shipments.page(matching, Window(limit=2))
    await writer.write(creation(number(77), at=NOON + minute(30)))
    rest = await storage.shipments.page(matching, Window(limit=10, after=first.last))
    assert [TEN[each["tracking_number"]] for each in first.data + rest.data] == [8, 6, 4, 2, 0]
    assert rest.total == 6
