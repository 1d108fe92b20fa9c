"""Several replicas on one database: one at a time sends for an endpoint, and what a dead one left is done."""

import asyncio
import signal
import time
from typing import Any

import pytest
from aiohttp import web

from domain.webhooks.endpoint import EndpointState
from tests.faults.matrix import Row
from tests.support.crashing.processes import KILLED
from tests.support.crashing.striking import Act, struck
from tests.support.crashing.webhook_points import LANE_POINTS, WebhookPoint
from tests.support.receiving.outbox import FAST, Outbox
from tests.support.receiving.receiver import Received, Receiver, never, statuses
from tests.support.receiving.replica import replica
from tests.support.waiting import wait_for
from webhooks.stores.leases import Lease, MongoLeases, Sighting

pytestmark = pytest.mark.stack

RISKY = (WebhookPoint.AFTER_RESPONSE, WebhookPoint.BEFORE_RELEASE)


async def test_two_replicas_share_the_endpoints_and_send_each_delivery_once(
    outbox: Outbox, hooks: Receiver
) -> None:
    endpoints = [await outbox.add_endpoint(hooks.url(f"/{index}")) for index in range(20)]
    async with outbox.delivering(owner="one") as one, outbox.delivering(owner="two") as two:
        for endpoint_id in endpoints:
            await outbox.add(endpoint_id, 20)
        for endpoint_id in endpoints:
            await outbox.reaches(endpoint_id, delivered=20)
        counts = [each.metric("waybill_webhook_attempts_total", result="delivered") for each in (one, two)]
    assert sum(counts) == len(hooks.received) == 400


@pytest.mark.fault(Row.WEBHOOKS_FROZEN)
@pytest.mark.parametrize(
    "point",
    [
        pytest.param(WebhookPoint.AFTER_LEASE, marks=pytest.mark.long),
        WebhookPoint.BEFORE_REQUEST,
        pytest.param(WebhookPoint.AFTER_RESPONSE, marks=pytest.mark.long),
        WebhookPoint.BEFORE_RECORD,
    ],
    ids=lambda point: point.name.lower(),
)
async def test_replica_that_is_frozen_past_its_lease_sends_and_records_nothing_more(
    outbox: Outbox, hooks: Receiver, point: WebhookPoint
) -> None:
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    ids = await outbox.add(endpoint_id, 30)
    async with replica(outbox, strike=struck(point, act=Act.FREEZE)) as frozen:
        await stopped(frozen.pid)
        async with outbox.delivering(timing=FAST) as running:
            await outbox.reaches(endpoint_id, delivered=30)
            sent = len(hooks.received)
            recorded = [await outbox.delivery(each) for each in ids]
            running.delivering.stop()
            await running.ended()
        frozen.send_signal(signal.SIGCONT)
        # It works again, which proves that it had its chance.
        other = await outbox.add_endpoint(hooks.url("/b"))
        await outbox.add(other, 50)
        await outbox.reaches(other, delivered=50)
        assert len(hooks.at("/a")) == sent
        assert [await outbox.delivery(each) for each in ids] == recorded


@pytest.mark.fault(Row.WEBHOOKS_KILLED)
@pytest.mark.parametrize(
    "point",
    [pytest.param(each, marks=() if each in RISKY else pytest.mark.long) for each in LANE_POINTS],
    ids=lambda point: point.name.lower(),
)
async def test_what_a_killed_replica_left_is_sent_by_the_next(
    outbox: Outbox, hooks: Receiver, point: WebhookPoint
) -> None:
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"), ordering="per_shipment")
    shipments = 10
    for shipment in range(shipments):
        await outbox.add(endpoint_id, 4, shipment=f"S-{shipment}")
    async with replica(outbox, strike=struck(point)) as dying:
        assert await dying.wait() == KILLED
    left = (await outbox.states(endpoint_id)).get("pending", 0)
    started = time.monotonic()
    async with outbox.delivering(timing=FAST):
        await outbox.reaches(endpoint_id, delivered=40)
    assert time.monotonic() - started < FAST.lease_s + 10
    assert len({each.message_id for each in hooks.received}) == 40
    # In order per shipment, one of each shipment may have been sent whose result is not recorded.
    assert len(hooks.received) <= 40 + shipments
    assert left <= 40
    versions: dict[str, list[int]] = {}
    for received in hooks.received:
        seen = versions.setdefault(received.data["tracking_number"], [])
        if received.data["version"] not in seen:
            seen.append(received.data["version"])
    assert all(seen == [1, 2, 3, 4] for seen in versions.values())


@pytest.mark.fault(Row.WEBHOOKS_KILLED)
@pytest.mark.long
@pytest.mark.parametrize(
    "point", [WebhookPoint.BEFORE_PAUSE, WebhookPoint.AFTER_PAUSE, WebhookPoint.AFTER_HOLD]
)
async def test_endpoint_whose_replica_is_killed_while_it_pauses_is_paused_by_the_next(
    outbox: Outbox, hooks: Receiver, point: WebhookPoint
) -> None:
    hooks.answers["/a"] = statuses(410)
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    await outbox.add(endpoint_id, 20)
    async with replica(outbox, strike=struck(point)) as dying:
        assert await dying.wait() == KILLED
    async with outbox.delivering(timing=FAST):
        await outbox.is_paused(endpoint_id)
        await outbox.reaches(endpoint_id, held=20)


async def test_replica_that_is_ended_ends_its_attempts_and_gives_its_leases_back(
    outbox: Outbox, hooks: Receiver
) -> None:
    async def slowly(_received: Received) -> web.Response:
        await asyncio.sleep(0.5)
        return web.Response(status=204)

    hooks.answers["/a"] = slowly
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    await outbox.add(endpoint_id, 100)
    async with outbox.delivering() as running:
        await hooks.has(8)
        running.delivering.stop()
        await running.ended()
    delivered = len(hooks.received)
    assert delivered <= 8
    assert await outbox.states(endpoint_id) == {"delivered": delivered, "pending": 100 - delivered}
    endpoint = await outbox.endpoint(endpoint_id)
    assert endpoint["lease"] is None
    assert endpoint["next_due_at"] <= outbox.clock.now()


async def stopped(pid: int) -> None:
    """Wait until a process is stopped."""

    async def is_stopped() -> bool:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123, ASYNC230  # a file of the kernel
            return stat.read().rpartition(")")[2].split()[0] == "T"

    await wait_for(is_stopped, timeout_s=30, what="a stopped process")


async def test_lane_that_opens_while_others_are_watched_keeps_its_lease(
    outbox: Outbox, hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of the others says nothing about it."""
    hooks.answers["/first"] = never
    first, second = [await outbox.add_endpoint(hooks.url(path)) for path in ("/first", "/second")]
    read, take = MongoLeases.sightings, MongoLeases.acquire
    acquiring, watching, acquired = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def watch(leases: MongoLeases, endpoint_ids: list[str]) -> dict[str, Sighting]:
        seen = await read(leases, endpoint_ids)
        if acquiring.is_set():
            watching.set()
            await acquired.wait()
        return seen

    async def acquire(leases: MongoLeases, endpoint_id: str, *args: Any) -> Lease | None:  # noqa: ANN401
        if endpoint_id == second and not acquired.is_set():
            acquiring.set()
            await watching.wait()
            lease = await take(leases, endpoint_id, *args)
            acquired.set()
            return lease
        return await take(leases, endpoint_id, *args)

    monkeypatch.setattr(MongoLeases, "sightings", watch)
    monkeypatch.setattr(MongoLeases, "acquire", acquire)
    await outbox.add(first)
    async with outbox.delivering():
        await hooks.has(1, path="/first")
        await outbox.add(second, 5)
        await outbox.reaches(second, delivered=5)
        await outbox.rests_until_due(second)
    assert len(hooks.at("/second")) == 5


async def test_lease_that_was_given_back_is_not_renewed(outbox: Outbox) -> None:
    endpoint_id = await outbox.add_endpoint("https://example.com/")
    await outbox.add(endpoint_id)
    now = outbox.clock.now()
    lease = await outbox.leases.acquire(endpoint_id, EndpointState.ACTIVE, now)
    assert lease is not None
    assert await outbox.leases.acquire(endpoint_id, EndpointState.ACTIVE, now) is None
    assert await outbox.leases.renew(lease, now) is not None
    assert await outbox.leases.release(lease, work=lease.work, next_due_at=now, rest_until=None)
    assert await outbox.leases.renew(lease, now) is None
    assert (await outbox.endpoint(endpoint_id))["lease"] is None
    next_lease = await outbox.leases.acquire(endpoint_id, EndpointState.ACTIVE, now)
    assert next_lease is not None
    assert next_lease.epoch == lease.epoch + 1
    assert await outbox.leases.renew(lease, now) is None
