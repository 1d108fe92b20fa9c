"""Totals: small ones are counted every time, large ones are cached in proportion to their cost."""

import pytest

from domain.ports.queries import ShipmentFilter
from storage.mongo.database import Database
from storage.mongo.queries import lists, totals
from storage.mongo.queries.totals import Totals
from storage.mongo.schema import SHIPMENTS
from tests.support.builders import NOON, number

pytestmark = pytest.mark.stack

CLIENT = lists.shipments(ShipmentFilter(client_id="client_001"))


class Ticking:
    """A clock that advances by a second with each reading, so that a count takes one."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


async def add(database: Database, first: int, many: int) -> None:
    await database[SHIPMENTS].insert_many(
        {"_id": number(index), "client_id": "client_001", "created_at": NOON}
        for index in range(first, first + many)
    )


async def test_a_small_total_is_counted_every_time(database: Database) -> None:
    counting = Totals(database[SHIPMENTS])
    for many in range(3):
        assert await counting.of(CLIENT) == many
        await add(database, many, 1)


async def test_a_large_total_is_remembered_twenty_times_as_long_as_it_took(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "REMEMBERED_FROM", 3)
    clock = Ticking()
    counting = Totals(database[SHIPMENTS], clock=clock)
    await add(database, 0, 3)
    assert await counting.of(CLIENT) == 3
    await add(database, 3, 1)
    clock.now += 17
    assert await counting.of(CLIENT) == 3
    assert await counting.of(lists.shipments(ShipmentFilter(client_id="client_002"))) == 0
    clock.now += 20
    assert await counting.of(CLIENT) == 4


async def test_number_of_cached_totals_is_bounded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "REMEMBERED_FROM", 0)
    monkeypatch.setattr(totals, "MAX_REMEMBERED", 2)
    counting = Totals(database[SHIPMENTS], clock=Ticking())
    for client_id in ("client_001", "client_002", "client_003"):
        await counting.of(lists.shipments(ShipmentFilter(client_id=client_id)))
    await add(database, 0, 1)
    assert await counting.of(CLIENT) == 1


async def test_unfiltered_total_is_counted_by_the_collection(database: Database) -> None:
    await add(database, 0, 5)
    assert await Totals(database[SHIPMENTS]).of(lists.shipments(ShipmentFilter())) == 5
