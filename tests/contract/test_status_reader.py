"""`StatusReader`: the current statuses of several shipments, within a scope."""

import pytest

from domain.ports.live import CurrentStatus, StatusReader
from domain.ports.queries import Scope
from domain.shipments.status import Status
from domain.shipments.tracking_number import NOBODY
from tests.contract.writing import Writer
from tests.support.builders import NUMBER, creation, number, report
from tests.support.fakes import Documents, InMemoryShipmentStore, InMemoryStatusReader


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.stack)])
async def statuses(request: pytest.FixtureRequest) -> StatusReader:
    """Give the reader of a store with two shipments."""
    if request.param == "memory":
        documents = Documents()
        await write_shipments(await Writer.of(InMemoryShipmentStore(documents)))
        return InMemoryStatusReader(documents)
    from storage.mongo.processing.shipment_store import MongoShipmentStore  # noqa: PLC0415  # only with the stack
    from storage.mongo.queries.statuses import MongoStatusReader  # noqa: PLC0415  # only with the stack

    database = request.getfixturevalue("database")
    await write_shipments(await Writer.of(MongoShipmentStore(database)))
    return MongoStatusReader(database)


async def write_shipments(writer: Writer) -> None:
    other = number(2)
    await writer.write(creation(), report(Status.PICKED_UP), creation(other, client_id="client_002"))


async def test_each_shipment_that_exists_has_its_status(statuses: StatusReader) -> None:
    assert await statuses.current([NUMBER, number(2), number(3), NOBODY]) == {
        NUMBER: CurrentStatus(2, Status.PICKED_UP),
        number(2): CurrentStatus(1, Status.CREATED),
    }
    assert await statuses.current([]) == {}


async def test_only_shipments_of_the_scope_are_found(statuses: StatusReader) -> None:
    mine = Scope(client_id="client_001")
    assert set(await statuses.current([NUMBER, number(2)], mine)) == {NUMBER}
