"""`StatusReader`: the current statuses of several shipments, within a scope."""

import pytest

from domain.ports.live import CurrentStatus
from domain.ports.queries import Scope
from domain.shipments.status import Status
from domain.shipments.tracking_number import NOBODY
from tests.contract.writing import Storage, Writer
from tests.support.builders import NUMBER, creation, number, report

OTHER = number(2)


@pytest.fixture(autouse=True)
async def two_shipments(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(creation(), report(Status.PICKED_UP), creation(OTHER, client_id="client_002"))


async def test_each_shipment_that_exists_has_its_status(storage: Storage) -> None:
    assert await storage.statuses.current([NUMBER, OTHER, number(3), NOBODY]) == {
        NUMBER: CurrentStatus(2, Status.PICKED_UP),
        OTHER: CurrentStatus(1, Status.CREATED),
    }
    assert await storage.statuses.current([]) == {}


async def test_only_shipments_of_the_scope_are_found(storage: Storage) -> None:
    mine = Scope(client_id="client_001")
    assert set(await storage.statuses.current([NUMBER, OTHER], mine)) == {NUMBER}
