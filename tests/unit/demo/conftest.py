from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from demo.dataset.generate import generate
from demo.dataset.model import Numbers, derived_numbers, with_strays
from demo.dataset.records import DataSet
from demo.run.gateway import Gateway
from tests.unit.demo.stand_in import StandIn


@pytest.fixture(scope="session")
def data() -> DataSet:
    return generate()


@pytest.fixture(scope="session")
def numbers(data: DataSet) -> Numbers:
    return with_strays(data, derived_numbers(data))


@pytest.fixture(scope="session")
def morning(data: DataSet) -> DataSet:
    """A tenth of the day: few enough shipments for a test, and every kind of scan among them."""
    conflicts = {scan.of for scan in data.scans if (scan.notes or "").startswith("Corrección")}
    chosen = tuple(
        booking for number, booking in enumerate(data.bookings) if number < 80 or booking.key in conflicts
    )
    keys = {booking.key for booking in chosen}
    scans = tuple(scan for scan in data.scans if scan.of in keys or scan.of.startswith("99M-"))
    return DataSet(chosen, scans)


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
async def url(stand_in: StandIn) -> AsyncIterator[str]:
    async with TestServer(stand_in.app()) as server:
        yield str(server.make_url("/"))


@pytest.fixture
async def gateway(url: str) -> AsyncIterator[Gateway]:
    async with aiohttp.ClientSession() as session:
        yield Gateway(session, url=url, patience_s=5)
