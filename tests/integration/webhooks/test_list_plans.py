"""Query plans of the lists of endpoints and deliveries: an index, and little more read than is shown."""

from datetime import timedelta

import pytest

from domain.ports.queries import Period, Position, Window
from domain.webhooks.delivery import DeliveryState
from domain.webhooks.endpoint import EndpointState
from storage.mongo.database import Database
from storage.mongo.schema import WEBHOOK_DELIVERIES, WEBHOOK_ENDPOINTS
from tests.support.builders import NOON
from tests.support.query_plans import assert_unsorted, profile_anew, profiled_reads
from webhooks.stores.delivery_reader import DeliveryFilter, MongoDeliveryReader
from webhooks.stores.endpoints import EndpointFilter, MongoEndpointStore

pytestmark = pytest.mark.stack

MANY = 3_000
SHOWN = 10
ENDPOINT = "wh_3"
SPAN = Period(start=NOON + timedelta(seconds=600), end=NOON + timedelta(seconds=2_000))
LISTED = (WEBHOOK_ENDPOINTS, WEBHOOK_DELIVERIES)
SECOND_PAGE = Window(limit=SHOWN, after=Position(NOON + timedelta(seconds=1_500), "wh_1500"))
WINDOWS = [Window(limit=SHOWN), SECOND_PAGE]


@pytest.fixture
async def filled(database: Database) -> Database:
    """Give many endpoints, and many deliveries of two of them, of which every thousandth has failed."""
    await database[WEBHOOK_ENDPOINTS].insert_many(
        {
            "_id": f"wh_{index}",
            "client_id": f"client_{index % 20}",
            "state": EndpointState.PAUSED if index % 1_000 == 0 else EndpointState.ACTIVE,
            "created_at": NOON + timedelta(seconds=index),
            "updated_at": NOON + timedelta(seconds=index),
            "types": ["*"],
            "secrets": [],
        }
        for index in range(MANY)
    )
    await database[WEBHOOK_DELIVERIES].insert_many(
        {
            "_id": f"msg_{index}",
            "endpoint_id": f"wh_{index % 2 + 3}",
            "state": DeliveryState.FAILED if index % 1_000 == 0 else DeliveryState.DELIVERED,
            "type": "shipment.delivered",
            "tracking_number": f"99M-{index}",
            "version": 1,
            "attempts": [],
            "due_at": None,
            "created_at": NOON + timedelta(seconds=index),
        }
        for index in range(MANY)
    )
    await profile_anew(database)
    return database


async def test_lists_are_read_in_the_order_of_an_index(filled: Database) -> None:
    for window in WINDOWS:
        for client_id in (None, "client_3"):
            await MongoEndpointStore(filled).page(EndpointFilter(client_id=client_id), window)
        for created in (Period(), SPAN):
            await MongoDeliveryReader(filled).page(
                DeliveryFilter(endpoint_id=ENDPOINT, created=created), window
            )
    reads = await profiled_reads(filled, LISTED)
    assert_unsorted(reads)
    found = [read for read in reads if "find" in read["command"]]
    assert len(found) == len(WINDOWS) * 4
    assert max(read["docsExamined"] for read in found) <= 2 * SHOWN


async def test_what_is_rare_is_found_without_reading_other_endpoints_deliveries(filled: Database) -> None:
    failed = DeliveryFilter(endpoint_id=ENDPOINT, state=DeliveryState.FAILED)
    assert (await MongoDeliveryReader(filled).page(failed, Window(limit=SHOWN))).total == 3
    reads = await profiled_reads(filled, LISTED)
    assert max(read["docsExamined"] for read in reads) <= MANY // 2


async def test_paused_endpoints_of_all_are_found_by_an_index(filled: Database) -> None:
    page = await MongoEndpointStore(filled).page(
        EndpointFilter(state=EndpointState.PAUSED), Window(limit=SHOWN)
    )
    assert page.total == 3
    await profiled_reads(filled, LISTED)
