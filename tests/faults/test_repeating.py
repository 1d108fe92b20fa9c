"""Duplicates in a batch, hours later, and at two nodes at once: applied once, and counted every time."""

import asyncio
from collections import Counter

import pytest

from domain.shipments.status import Status
from storage.mongo.schema import SHIPMENTS
from tests.e2e.traffic import event_body, shipment_body
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.builders import creation, number
from tests.support.crashing.clocks import ahead_by
from tests.support.crashing.processes import exit_code
from tests.support.history import Sent, violations
from tests.support.ingest import ingesting
from tests.support.site import Site, processing, processor_process

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.DUPLICATES)]

THREE_HOURS_S = 3 * 3600
KNOWN = [creation(number(index)) for index in range(10)]
BATCH = [event_body(each.tracking_number, Status.PICKED_UP) for each in KNOWN]
KEY = {"Idempotency-Key": "the same at both"}


async def test_a_duplicate_unknown_to_the_filter_is_found_in_the_store(site: Site) -> None:
    day = traffic(20, seed=41)
    await site.send([*day, *day])
    for seconds, again in ((0, []), (THREE_HOURS_S, day)):
        await site.send(again)
        with processor_process(site, f"after-{seconds}", seat="seat", env=ahead_by(seconds)) as process:
            await site.finished()
            process.terminate()
            assert await exit_code(process) == 0
    assert await site.violations([*day, *day, *day]) == []


async def test_the_same_event_at_two_nodes_at_once_is_applied_once(site: Site) -> None:
    await site.send(KNOWN)
    shipment = shipment_body()
    async with processing(site), ingesting(site, "one") as one, ingesting(site, "other") as other:
        nodes = (one, other, one, other)
        batches = await asyncio.gather(*(node.post("/events/batch", {"events": BATCH}) for node in nodes))
        created = await asyncio.gather(*(node.post("/shipments", shipment, headers=KEY) for node in nodes))
        await site.finished()
    assert [response.status for response in batches] == [202] * len(nodes)
    assert [response.status for response in created] == [201] * len(nodes)
    [tracking_number] = {response.body["tracking_number"] for response in created}
    ids = Counter(event["event_id"] for response in batches for event in response.body["events"])
    ids[creation(tracking_number).event_id] = len(nodes)
    ids.update(command.event_id for command in KNOWN)
    assert violations(await site.observed(), [Sent(*each) for each in ids.items()]) == []
    assert await site.database[SHIPMENTS].count_documents({}) == len(KNOWN) + 1
