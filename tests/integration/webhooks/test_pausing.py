"""Endpoints that are paused or deleted: what falls due is held, and nothing is lost or sent."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

import webhooks.dispatching.sweeper
from tests.support.receiving.outbox import Outbox
from tests.support.receiving.receiver import Received, Receiver, statuses
from tests.support.waiting import wait_for
from webhooks.stores.endpoints import MongoEndpointStore

pytestmark = pytest.mark.stack


async def test_gone_pauses_at_once_and_what_falls_due_is_held(
    outbox: Outbox, hooks: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks.answers["/a"] = statuses(410)
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    await outbox.add(endpoint_id, 30)
    async with outbox.delivering() as running:
        await outbox.is_paused(endpoint_id)
        attempts = len(hooks.received)
        assert attempts <= 8
        outbox.clock.ahead = timedelta(seconds=7)
        await outbox.reaches(endpoint_id, held=30)
        await outbox.add(endpoint_id, 5)
        await outbox.reaches(endpoint_id, held=35)
        await outbox.rests_until_due(endpoint_id)
        assert running.metric("waybill_webhook_pauses_total", reason="gone") == 1
        assert running.metric("waybill_webhook_held_total") == 35
    assert len(hooks.received) == attempts
    endpoint = await outbox.endpoint(endpoint_id)
    assert (endpoint["paused_reason"], endpoint["next_due_at"], endpoint["lease"]) == ("gone", None, None)
    assert endpoint["updated_at"] > endpoint["created_at"]
    assert capsys.readouterr().out.count("webhook_endpoint_paused") == 1


async def test_five_days_of_failure_pause_an_endpoint_once(
    outbox: Outbox, hooks: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks.answers["/a"] = statuses(500)
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    await outbox.add(endpoint_id, 20)
    async with outbox.delivering() as running:
        await outbox.rests(endpoint_id)
        for hours in (60, 119):
            before = len(hooks.received)
            outbox.clock.ahead = timedelta(hours=hours)
            running.delivering.wake()
            await hooks.has(before + 1)
            await outbox.rests(endpoint_id)
        assert (await outbox.endpoint(endpoint_id))["state"] == "active"
        outbox.clock.ahead = timedelta(hours=121)
        await outbox.is_paused(endpoint_id)
        outbox.clock.ahead = timedelta(hours=200)

        async def nothing_pending() -> bool:
            return "pending" not in await outbox.states(endpoint_id)

        await wait_for(nothing_pending, timeout_s=20)
    assert (await outbox.endpoint(endpoint_id))["paused_reason"] == "failing"
    assert capsys.readouterr().out.count("webhook_endpoint_paused") == 1


async def test_pause_stops_a_lane_within_a_moment_and_resumed_endpoint_goes_on_with_what_is_pending(
    outbox: Outbox, hooks: Receiver
) -> None:
    async def slowly(_received: Received) -> web.Response:
        await asyncio.sleep(0.05)
        return web.Response(status=204)

    hooks.answers["/a"] = slowly
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    await outbox.add(endpoint_id, 500)
    later = outbox.clock.now() + timedelta(hours=1)
    async with outbox.delivering() as running:
        await hooks.has(20)
        await outbox.change(endpoint_id, state="paused", paused_reason="manual")
        running.delivering.wake()
        await outbox.add(endpoint_id, 3, due_at=later)
        delivered = await outbox.delivered_and_held(endpoint_id, 500)
        assert delivered < 200
        assert len(hooks.received) == delivered
        await outbox.change(endpoint_id, state="active", paused_reason=None)
        outbox.clock.ahead = timedelta(hours=2)
        await outbox.reaches(endpoint_id, delivered=delivered + 3, held=500 - delivered)


@pytest.mark.parametrize(
    ("change", "status"), [({"url": "/new"}, 410), ({"url": "/new"}, 500), ({"state": "active"}, 410)]
)
async def test_what_was_attempted_before_an_endpoint_begins_again_does_not_count(
    outbox: Outbox, hooks: Receiver, change: dict[str, str], status: int
) -> None:
    """Failures of the address of before neither pause the new one nor keep it waiting."""
    begun_again = asyncio.Event()

    async def late(_received: Received) -> web.Response:
        await begun_again.wait()
        return web.Response(status=status)

    hooks.answers["/old"] = late
    long_ago = outbox.clock.now() - timedelta(days=6)
    endpoint_id = await outbox.add_endpoint(hooks.url("/old"), failures=40, failing_since=long_ago)
    await outbox.add(endpoint_id, 3)
    async with outbox.delivering() as running:
        await hooks.has(1, path="/old")
        changes = {name: hooks.url(new) if name == "url" else new for name, new in change.items()}
        await MongoEndpointStore(outbox.database).change(endpoint_id, changes, outbox.clock.now())
        hooks.answers["/old"] = statuses(204)
        begun_again.set()
        outbox.clock.ahead = timedelta(seconds=7)
        running.delivering.wake()
        await outbox.reaches(endpoint_id, delivered=3)
        await outbox.rests_until_due(endpoint_id)
    endpoint = await outbox.endpoint(endpoint_id)
    healthy = ("active", 0, None, None)
    names = ("state", "failures", "failing_since", "rest_until")
    assert tuple(endpoint[name] for name in names) == healthy


async def test_deliveries_of_a_deleted_endpoint_end(
    outbox: Outbox, hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks.dispatching.sweeper, "ORPHANS_S", 0.1)
    other = await outbox.add_endpoint(hooks.url("/b"), state="paused", paused_reason="manual")
    await outbox.add(other, 3, due_at=outbox.clock.now() + timedelta(hours=1))
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"), rate_per_s=10)
    await outbox.add(endpoint_id, 50)
    async with outbox.delivering() as running:
        await hooks.has(3)
        await outbox.endpoints.delete_one({"_id": endpoint_id})
        running.delivering.endpoint_deleted()
        await outbox.reaches(endpoint_id)
        await outbox.deliveries.insert_one(
            {**await outbox.any_delivery(other), "_id": "late"} | {"endpoint_id": endpoint_id}
        )
        await outbox.reaches(endpoint_id)
        assert await outbox.states(other) == {"pending": 3}
    assert len(hooks.received) < 20
