"""Sending on a real MongoDB to real receivers: signatures, retries, order, isolation, pauses."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from tests.faults.matrix import Row
from tests.support.receiving.outbox import Outbox
from tests.support.receiving.receiver import Receiver, statuses
from webhooks.sealing import SecretSealer, new_secret
from webhooks.stores.overview import MongoOverview

pytestmark = pytest.mark.stack


async def test_due_deliveries_arrive_signed_by_every_secret_and_are_recorded(
    outbox: Outbox, hooks: Receiver
) -> None:
    secrets = [new_secret(), new_secret()]
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"), secrets=secrets)
    ids = await outbox.add(endpoint_id, 20)
    async with outbox.delivering() as running:
        await outbox.reaches(endpoint_id, delivered=20)
        await outbox.rests_until_due(endpoint_id)
        assert running.metric("waybill_webhook_attempts_total", result="delivered") == 20
    assert sorted(each.message_id for each in hooks.received) == sorted(ids)
    for received in hooks.received:
        for secret in secrets:
            received.verify(secret)
    delivery = await outbox.delivery(ids[0])
    assert (delivery["attempt"], delivery["due_at"]) == (1, None)
    assert delivery["expires_at"] == delivery["created_at"] + timedelta(days=30)
    assert [(each["status_code"], each["error"]) for each in delivery["attempts"]] == [(204, None)]
    endpoint = await outbox.endpoint(endpoint_id)
    assert (endpoint["next_due_at"], endpoint["lease"]) == (None, None)


async def test_failed_delivery_is_tried_again_under_the_same_id(outbox: Outbox, hooks: Receiver) -> None:
    hooks.answers["/a"] = statuses(500, 404, 200)
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    (delivery_id,) = await outbox.add(endpoint_id)
    async with outbox.delivering():
        await hooks.has(1)
        await outbox.reaches_attempt(delivery_id, 1)
        assert (await outbox.endpoint(endpoint_id))["next_due_at"] is not None
        outbox.clock.ahead = timedelta(seconds=6)
        await outbox.reaches_attempt(delivery_id, 2)
        outbox.clock.ahead += timedelta(minutes=6)
        await outbox.reaches(endpoint_id, delivered=1)
        await outbox.rests_until_due(endpoint_id)
    assert [each.message_id for each in hooks.received] == [delivery_id] * 3
    delivery = await outbox.delivery(delivery_id)
    assert [each["status_code"] for each in delivery["attempts"]] == [500, 404, 200]
    endpoint = await outbox.endpoint(endpoint_id)
    assert (endpoint["failures"], endpoint["failing_since"], endpoint["next_due_at"]) == (0, None, None)


async def test_thin_endpoint_gets_the_thin_body_and_an_expired_message_fails(
    outbox: Outbox, hooks: Receiver
) -> None:
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"), payload="thin")
    first, second = await outbox.add(endpoint_id, 2)
    await outbox.messages.delete_one({"_id": (await outbox.delivery(second))["message_id"]})
    async with outbox.delivering():
        await outbox.reaches(endpoint_id, delivered=1, failed=1)
    assert [(each.message_id, each.data) for each in hooks.received] == [(first, {"thin": True})]
    assert (await outbox.delivery(second))["attempts"][0]["error"] == "message_expired"


async def test_refused_address_fails_a_delivery_for_good(outbox: Outbox) -> None:
    endpoint_id = await outbox.add_endpoint("https://10.0.0.1/hook")
    (delivery_id,) = await outbox.add(endpoint_id)
    async with outbox.delivering() as running:
        await outbox.reaches(endpoint_id, failed=1)
        assert running.metric("waybill_webhook_attempts_total", result="refused") == 1
    (attempt,) = (await outbox.delivery(delivery_id))["attempts"]
    assert (attempt["status_code"], attempt["error"]) == (None, "address_not_allowed")


async def test_retry_after_moves_the_next_attempt_of_a_delivery(outbox: Outbox, hooks: Receiver) -> None:
    hooks.answers["/a"] = statuses(503, headers={"Retry-After": "3600"})
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    (delivery_id,) = await outbox.add(endpoint_id)
    async with outbox.delivering():
        await outbox.reaches_attempt(delivery_id, 1)
        due_in = (await outbox.delivery(delivery_id))["due_at"] - outbox.clock.now()
        assert timedelta(minutes=58) < due_in <= timedelta(hours=1)


async def test_too_many_requests_rest_the_whole_endpoint(outbox: Outbox, hooks: Receiver) -> None:
    hooks.answers["/a"] = statuses(429, 200, headers={"Retry-After": "30"})
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"), rate_per_s=5)
    await outbox.add(endpoint_id, 10)
    async with outbox.delivering():
        await outbox.rests(endpoint_id)
        assert len(hooks.received) == 1
        outbox.clock.ahead = timedelta(seconds=31)
        await outbox.reaches(endpoint_id, delivered=10)


async def test_rate_bounds_the_attempts_of_each_second(outbox: Outbox, hooks: Receiver) -> None:
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"), rate_per_s=20)
    await outbox.add(endpoint_id, 30)
    async with outbox.delivering():
        await outbox.reaches(endpoint_id, delivered=30)
    times = [each.at for each in hooks.received]
    assert max(sum(start <= at < start + 1 for at in times) for start in times) <= 22


@pytest.mark.fault(Row.RECEIVERS_FAIL)
async def test_hour_of_500s_opens_the_breaker_and_recovery_closes_it(outbox: Outbox, hooks: Receiver) -> None:
    hooks.answers["/a"] = statuses(500)
    endpoint_id = await outbox.add_endpoint(hooks.url("/a"))
    await outbox.add(endpoint_id, 40)
    async with outbox.delivering() as running:
        await outbox.rests(endpoint_id)
        assert len(hooks.received) < 20
        for minute in range(1, 61):
            outbox.clock.ahead = timedelta(minutes=minute)
            before = len(hooks.received)
            running.delivering.wake()
            await hooks.has(before + 1)
            await outbox.rests(endpoint_id)
            assert len(hooks.received) == before + 1, "one at a time"
        endpoint = await outbox.endpoint(endpoint_id)
        assert (endpoint["state"], endpoint["failures"]) == ("active", len(hooks.received))
        hooks.answers.clear()
        outbox.clock.ahead += timedelta(hours=30)
        await outbox.reaches(endpoint_id, delivered=40)
        await outbox.rests_until_due(endpoint_id)
    assert (await outbox.endpoint(endpoint_id))["failures"] == 0


async def test_deliveries_that_no_key_can_sign_are_late_and_spend_no_attempt(
    outbox: Outbox, hooks: Receiver
) -> None:
    """A lost key is a fault of ours, which the age of the oldest delivery tells; a rest for 429 is none."""
    hooks.answers["/busy"] = statuses(429, headers={"Retry-After": "60"})
    busy = await outbox.add_endpoint(hooks.url("/busy"))
    lost = await outbox.add_endpoint(hooks.url("/lost"))
    key = (await outbox.endpoint(lost))["secrets"]
    another = [{**each, "sealed": SecretSealer([Fernet.generate_key().decode()]).seal("x")} for each in key]
    await outbox.endpoints.update_one({"_id": lost}, {"$set": {"secrets": another}})
    overview = MongoOverview(outbox.database)
    async with outbox.delivering() as running:
        await outbox.add(busy)
        await outbox.rests(busy)
        assert await overview.oldest_due_s(outbox.clock.now() + timedelta(seconds=30)) == 0
        (delivery_id,) = await outbox.add(lost)
        await outbox.rests(lost)
        assert await overview.oldest_due_s(outbox.clock.now() + timedelta(seconds=30)) >= 30
        assert (await outbox.delivery(delivery_id))["attempt"] == len(hooks.at("/lost")) == 0
        await outbox.change(lost, secrets=key)
        outbox.clock.ahead = timedelta(seconds=61)
        running.delivering.wake()
        await outbox.reaches(lost, delivered=1)
