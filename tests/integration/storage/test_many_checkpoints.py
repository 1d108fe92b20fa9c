"""A shipment with 100,000 checkpoints: its document stays small, its last writes cost what the first did."""

import time
from datetime import timedelta
from statistics import median

import pytest
from bson import encode

from domain.ports.queries import EventFilter, Window
from domain.shipments.commands import Command
from domain.shipments.shipment import Shipment
from domain.shipments.status import Status
from storage.mongo.database import Database
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.mongo.queries.readers import MongoEventReader, MongoShipmentReader
from storage.mongo.schema import SHIPMENTS, STATUS_EVENTS
from tests.support.builders import (
    NOON,
    NUMBER,
    RECORDED_AT,
    ROUTE,
    checkpoint,
    consumed_all,
    creation,
    ends_at,
    plan_for,
    report,
)
from toolbox.rebuild.audit_fold import rebuilt

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(500)]

MANY = 100_000
BATCH = 500
KIB = 1024


def scan(index: int) -> Command:
    return checkpoint(f"hub_{index}", at=NOON + timedelta(seconds=index), source=f"hub-{index % 7}")


async def test_a_document_of_100_000_checkpoints(database: Database) -> None:
    store = MongoShipmentStore(database)
    fence = await store.acquire("shipments.events/3", owner="test", end_offset=ends_at(2 * MANY))
    offset, shipment, took = 0, None, list[float]()

    async def write(*commands: Command) -> None:
        nonlocal fence, offset, shipment
        plan = plan_for(
            consumed_all(*commands, first_offset=offset),
            {} if shipment is None else {NUMBER: shipment},
            {command.event_id: None for command in commands},
        )
        started = time.perf_counter()
        [fence] = await store.commit([(fence, plan)], recorded_at=RECORDED_AT)
        took.append(time.perf_counter() - started)
        offset, shipment = plan.next_offset, plan.shipments[NUMBER].after

    await write(creation(), *(report(status) for status in ROUTE[:3]))
    for start in range(0, MANY, BATCH):
        await write(*(scan(index) for index in range(start, start + BATCH)))
    await write(report(Status.DELIVERED))

    print(f"\nbatches of {BATCH}: first {median(took[1:11]):.3f} s, last {median(took[-11:-1]):.3f} s")  # noqa: T201  # for ADR 0026
    assert await store.load([NUMBER]) == {NUMBER: shipment}
    assert isinstance(shipment, Shipment)
    assert (shipment.version, shipment.checkpoints) == (MANY + 5, MANY)
    await check_documents(database)


async def check_documents(database: Database) -> None:
    stored = await database[SHIPMENTS].find_one({"_id": NUMBER})
    assert stored is not None
    started = time.perf_counter()
    read = await MongoShipmentReader(database).get(NUMBER)
    read_s = time.perf_counter() - started
    size = len(encode(stored))
    print(f"document of {MANY} checkpoints: {size / KIB:.1f} KiB, read in {read_s * 1000:.1f} ms")  # noqa: T201  # for ADR 0026
    assert size < 64 * KIB
    assert read is not None
    walked = [each.get("checkpoint", each["status"]) for each in read["status_history"]]
    assert walked == [
        "created",
        *ROUTE[:3],
        *(f"hub_{index}" for index in range(MANY - 100, MANY)),
        "delivered",
    ]
    page = await MongoEventReader(database).page(EventFilter(tracking_number=NUMBER), Window(limit=100))
    assert page.total == MANY + 5
    trail = await database[STATUS_EVENTS].find({"tracking_number": NUMBER}).to_list()
    assert rebuilt(NUMBER, trail).shipment == stored
