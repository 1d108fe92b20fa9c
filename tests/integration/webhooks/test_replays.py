"""Replays: each delivery of a job once, even if runners crash; done when all have ended."""

from datetime import timedelta

import pytest

from tests.faults.matrix import Row
from tests.support.crashing.processes import KILLED
from tests.support.crashing.striking import struck
from tests.support.crashing.webhook_points import WebhookPoint
from tests.support.receiving.outbox import Outbox
from tests.support.receiving.receiver import Receiver
from tests.support.receiving.replica import replica
from tests.support.waiting import wait_for
from webhooks.stores.replay_jobs import LEASE_S, MongoReplayJobs

pytestmark = pytest.mark.stack


async def test_replay_sends_what_it_chooses_once_under_the_same_ids(outbox: Outbox, hooks: Receiver) -> None:
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    held = await outbox.add(endpoint_id, 4, state="held", due_at=None)
    failed = await outbox.add(endpoint_id, 3, state="failed", due_at=None, attempt=10)
    await outbox.add(endpoint_id, 2, state="delivered", due_at=None)
    await outbox.add(endpoint_id, 2, state="held", due_at=None, type="shipment.amended")
    early = outbox.clock.now() - timedelta(days=2)
    await outbox.add(endpoint_id, 2, state="held", due_at=None, created_at=early)
    replay_id = await outbox.add_replay(endpoint_id, types=["shipment.created"])
    async with outbox.delivering() as running:
        running.delivering.replay_added()
        await outbox.replay_ends(replay_id)
    assert sorted(each.message_id for each in hooks.received) == sorted([*held, *failed])
    assert await outbox.states(endpoint_id) == {"delivered": 9, "held": 4}
    assert (await outbox.delivery(failed[0]))["replay_ids"] == [replay_id]
    assert await outbox.deliveries.count_documents({"replay_ids": replay_id}) == 7


async def test_replay_of_delivered_ones_sends_each_once_more(outbox: Outbox, hooks: Receiver) -> None:
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    await outbox.add(endpoint_id, 700)
    async with outbox.delivering() as running:
        await outbox.reaches(endpoint_id, delivered=700)
        replay_id = await outbox.add_replay(endpoint_id, states=["delivered"])
        running.delivering.replay_added()
        await outbox.replay_ends(replay_id)
    assert len(hooks.received) == 1400


async def test_replay_of_a_paused_endpoint_ends_and_holds_again(outbox: Outbox, hooks: Receiver) -> None:
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"), state="paused", paused_reason="manual")
    await outbox.add(endpoint_id, 3, state="held", due_at=None)
    replay_id = await outbox.add_replay(endpoint_id)
    async with outbox.delivering():
        await outbox.replay_ends(replay_id)
        await outbox.reaches(endpoint_id, held=3)
    assert hooks.received == []


async def test_replay_with_deliveries_to_be_sent_is_looked_at_again_before_its_lease_ends(
    outbox: Outbox, hooks: Receiver
) -> None:
    jobs = MongoReplayJobs(outbox.database)
    replay_id = await outbox.add_replay(await outbox.add_endpoint(hooks.url("/a")))
    job = await jobs.acquire()
    assert job is not None
    assert await jobs.acquire() is None
    await jobs.look_again(job)

    async def is_free() -> bool:
        again = await jobs.acquire()
        return again is not None and again.replay_id == replay_id

    await wait_for(is_free, timeout_s=LEASE_S / 2)


@pytest.mark.fault(Row.WEBHOOKS_KILLED)
@pytest.mark.parametrize(
    "point",
    [
        WebhookPoint.AFTER_SLICE,
        pytest.param(WebhookPoint.AFTER_MARK, marks=pytest.mark.long),
        pytest.param(WebhookPoint.AFTER_CURSOR, marks=pytest.mark.long),
        pytest.param(WebhookPoint.AFTER_WALK, marks=pytest.mark.long),
    ],
    ids=lambda point: point.name.lower(),
)
async def test_replay_whose_runner_is_killed_is_ended_by_the_next(
    outbox: Outbox, hooks: Receiver, point: WebhookPoint
) -> None:
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    ids = await outbox.add(endpoint_id, 520, state="held", due_at=None)
    replay_id = await outbox.add_replay(endpoint_id)
    async with replica(outbox, strike=struck(point)) as dying:
        assert await dying.wait() == KILLED
    await outbox.free_replays()
    async with outbox.delivering():
        await outbox.replay_ends(replay_id)
    assert await outbox.states(endpoint_id) == {"delivered": 520}
    assert {each.message_id for each in hooks.received} == set(ids)
