"""Order per shipment, and endpoints that delay nobody else."""

import asyncio
import gc
import time
from collections import defaultdict
from datetime import timedelta

import pytest
from aiohttp import web

from tests.faults.matrix import Row
from tests.support.receiving.outbox import FAST, Outbox
from tests.support.receiving.receiver import Received, Receiver, never, statuses
from tests.support.waiting import wait_until
from webhooks.dispatching.backlog import Backlog
from webhooks.dispatching.lane import Lane

pytestmark = pytest.mark.stack


async def test_deliveries_of_a_shipment_arrive_in_order_and_one_at_a_time(
    outbox: Outbox, hooks: Receiver
) -> None:
    in_flight: dict[str, int] = defaultdict(int)

    async def slowly(received: Received) -> web.Response:
        number = received.data["tracking_number"]
        in_flight[number] += 1
        assert in_flight[number] == 1
        await asyncio.sleep(0.005)
        in_flight[number] -= 1
        return web.Response(status=204)

    hooks.answers["/a"] = slowly
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"), ordering="per_shipment")
    async with outbox.delivering():
        for first in (1, 11):
            for shipment in range(6):
                await outbox.add(endpoint_id, 10, shipment=f"S-{shipment}", first_version=first)
        await outbox.reaches(endpoint_id, delivered=120)
    versions: dict[str, list[int]] = defaultdict(list)
    for received in hooks.received:
        versions[received.data["tracking_number"]].append(received.data["version"])
    assert all(seen == list(range(1, 21)) for seen in versions.values())


async def test_failing_delivery_holds_back_only_later_ones_of_its_shipment(
    outbox: Outbox, hooks: Receiver
) -> None:
    failing = True

    def fail_one(received: Received) -> web.Response:
        is_it = received.data == {"tracking_number": "S-1", "version": 2}
        return web.Response(status=500 if is_it and failing else 204)

    hooks.answers["/a"] = fail_one
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"), ordering="per_shipment")
    for shipment in ("S-1", "S-2", "S-3"):
        await outbox.add(endpoint_id, 5, shipment=shipment)
    async with outbox.delivering():
        await outbox.reaches(endpoint_id, delivered=11, pending=4)
        outbox.clock.ahead = timedelta(seconds=6)
        await hooks.has(13)  # tried again alone
        await outbox.reaches(endpoint_id, delivered=11, pending=4)
        failing = False
        outbox.clock.ahead += timedelta(minutes=6)
        await outbox.reaches(endpoint_id, delivered=15)
    of_one = [each.data["version"] for each in hooks.received if each.data["tracking_number"] == "S-1"]
    assert of_one == [1, 2, 2, 2, 3, 4, 5]


async def test_delivery_that_is_retried_by_hand_releases_those_behind_it(
    outbox: Outbox, hooks: Receiver
) -> None:
    hooks.answers["/a"] = statuses(500, 204)
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"), ordering="per_shipment")
    first, *_ = await outbox.add(endpoint_id, 3, shipment="S-1")
    async with outbox.delivering() as running:
        await outbox.reaches_attempt(first, 1)
        await outbox.rests_until_due(endpoint_id)
        now = outbox.clock.now()
        await outbox.deliveries.update_one({"_id": first}, {"$set": {"due_at": now}})
        await outbox.leases.mark_due([endpoint_id], now)
        running.delivering.wake()
        await outbox.reaches(endpoint_id, delivered=3)
    assert [each.data["version"] for each in hooks.received] == [1, 1, 2, 3]


@pytest.mark.fault(Row.RECEIVERS_FAIL)
async def test_endpoints_that_hang_or_fail_delay_no_other(outbox: Outbox, hooks: Receiver) -> None:
    hooks.answers["/hangs"] = never
    hooks.answers["/fails"] = statuses(503)
    dead = [await outbox.add_endpoint(hooks.url(path)) for path in ("/hangs", "/hangs", "/fails", "/fails")]
    healthy = [await outbox.add_endpoint(hooks.url(f"/{index}")) for index in range(10)]
    for endpoint_id in dead:
        await outbox.add(endpoint_id, 30)
    async with outbox.delivering(slots=64) as running:
        await hooks.has(16, path="/hangs")
        for _ in range(5):
            sent = time.monotonic()
            before = len(hooks.received)
            for endpoint_id in healthy:
                await outbox.add(endpoint_id, 2)
            running.delivering.wake()
            await asyncio.gather(*(hooks.has(2 * (_ + 1), path=f"/{index}") for index in range(10)))
            assert time.monotonic() - sent < 5
            assert len(hooks.received) - before < 40
        assert running.metric("waybill_webhook_in_flight") <= 2 * 8 + 2 * 8


async def test_one_endpoint_has_no_more_than_its_share_of_the_slots(outbox: Outbox, hooks: Receiver) -> None:
    hooks.answers["/hangs"] = never
    hanging = await outbox.add_endpoint(hooks.url("/hangs"))
    healthy = await outbox.add_endpoint(hooks.url("/healthy"))
    await outbox.add(hanging, 30)
    async with outbox.delivering(slots=8) as running:
        await hooks.has(2, path="/hangs")
        await outbox.add(healthy, 30)
        running.delivering.wake()
        await outbox.reaches(healthy, delivered=30)
        assert len(hooks.at("/hangs")) == 2


async def test_nothing_of_an_endpoint_stays_in_memory_once_it_rests(outbox: Outbox, hooks: Receiver) -> None:
    hooks.answers["/hangs"] = never
    dead = [await outbox.add_endpoint(hooks.url("/hangs")) for _ in range(5)]
    healthy = [await outbox.add_endpoint(hooks.url(f"/{index}")) for index in range(100)]
    async with outbox.delivering(timing=FAST):
        for endpoint_id in (*dead, *healthy):
            await outbox.add(endpoint_id, 20)
        for endpoint_id in healthy:
            await outbox.reaches(endpoint_id, delivered=20)
        for endpoint_id in dead:
            await outbox.rests(endpoint_id)
        outbox.clock.ahead = -timedelta(minutes=5)  # so that nobody's rest ends
        await wait_until(lambda: not _living(Lane), timeout_s=30, what="the end of all lanes")
        assert not _living(Backlog)


def _living(kind: type) -> list[object]:
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is kind]
