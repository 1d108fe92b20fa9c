"""Fan-out on a real Kafka and MongoDB: each change once for each endpoint that wants it, whatever happens."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from domain.shipments.commands import Command
from domain.shipments.status import Status
from domain.webhooks.delivery import delivery_id
from messaging.metrics import ConsumerMetrics
from messaging.settings import KafkaSettings
from messaging.topic_reader import members_of
from storage.mongo.database import Database, open_database
from storage.mongo.schema import WEBHOOK_DELIVERIES, WEBHOOK_ENDPOINTS
from storage.settings import MongoSettings
from tests.integration.webhooks import fanning_out
from tests.integration.webhooks.fanning_out import Feed, running
from tests.support.builders import ROUTE, amendment, checkpoint, creation, number, report
from tests.support.proxy import Proxy, mongo_uri_of
from tests.support.waiting import wait_for, wait_until
from webhooks.fanout import fan_out as fan_out_module

pytestmark = pytest.mark.stack


def journey(index: int) -> tuple[Command, ...]:
    """Return the way of a shipment from its creation to its delivery."""
    return creation(number(index)), *(report(status, number(index)) for status in ROUTE)


JOURNEY = journey(1)


@pytest.fixture(autouse=True)
def _looked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_out_module, "LOOK_EVERY_S", 0.2)


@pytest.fixture
def feed(kafka: KafkaSettings, spare_database: Database) -> Feed:
    return Feed(kafka, spare_database)


async def test_each_endpoint_gets_the_changes_that_it_wants(feed: Feed) -> None:
    own = await feed.endpoint("own")
    picky = await feed.endpoint("picky", types=["shipment.delivered", "shipment.cre*"])
    everything = await feed.endpoint("everything", client_id=None)
    await feed.endpoint("foreign", client_id="client_002")
    async with running(feed.fan_out()):
        await feed.publish(*JOURNEY)
        await feed.caught_up()
    types = [f"shipment.{status}" for status in ("created", *ROUTE)]
    assert await feed.delivered() == [
        *((everything, type_, version, "pending") for version, type_ in enumerate(types, 1)),
        *((own, type_, version, "pending") for version, type_ in enumerate(types, 1)),
        (picky, "shipment.created", 1, "pending"),
        (picky, "shipment.delivered", 5, "pending"),
    ]
    endpoints = {each["_id"]: each async for each in feed.database[WEBHOOK_ENDPOINTS].find()}
    assert {each for each in endpoints if endpoints[each]["next_due_at"]} == {own, picky, everything}
    assert endpoints[own]["work"] > 0
    assert feed.woken > 0


async def test_a_delivery_is_due_at_once_and_its_message_holds_both_bodies(feed: Feed) -> None:
    endpoint = await feed.endpoint("one")
    command = checkpoint(notes="andén 3")
    began = datetime.now(UTC) - timedelta(seconds=1)
    async with running(feed.fan_out()):
        await feed.publish(creation(), report(Status.PICKED_UP), amendment(), command)
        await feed.caught_up()
    [*_, delivery] = await feed.deliveries()
    assert delivery["_id"] == delivery_id(endpoint, command.event_id)
    assert began <= delivery["due_at"] <= datetime.now(UTC)
    assert (delivery["attempt"], delivery["attempts"], delivery["expires_at"]) == (0, [], None)
    message = (await feed.messages())[delivery["message_id"]]
    assert (message["at"], message["client_id"]) == (command.timestamp, "client_001")
    assert message["expires_at"] == message["created_at"] + timedelta(days=45)
    full, thin = json.loads(message["full"]), json.loads(message["thin"])
    assert full["type"] == thin["type"] == message["type"] == "shipment.checkpoint"
    assert full["data"]["event"]["notes"] == "andén 3"
    assert (full["data"]["previous_status"], full["data"]["current_status"]) == ("picked_up", "picked_up")
    assert thin["data"] == {"tracking_number": command.tracking_number, "version": 4}


async def test_changes_that_are_published_again_add_nothing(feed: Feed) -> None:
    await feed.endpoint("one")
    async with running(feed.fan_out()):
        verdicts = await feed.publish(*JOURNEY)
        await feed.caught_up()
        await feed.database[WEBHOOK_DELIVERIES].update_many(
            {}, {"$set": {"state": "delivered", "due_at": None}}
        )
        before = await feed.deliveries(), await feed.messages()
        await feed.publish_again(verdicts)
        await feed.caught_up()
    assert (await feed.deliveries(), await feed.messages()) == before
    assert len(before[0]) == len(JOURNEY)


async def test_a_death_between_messages_and_deliveries_loses_nothing(feed: Feed, mongo_uri: str) -> None:
    await feed.endpoint("one")
    await feed.publish(*JOURNEY)
    script = Path(fanning_out.__file__)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.webhooks.fanning_out",
        feed.kafka.brokers,
        feed.kafka.topic_prefix,
        feed.group,
        mongo_uri,
        feed.database.name,
        stdout=DEVNULL,
        cwd=script.parents[3],
    )
    try:
        assert await asyncio.wait_for(process.wait(), 40) == -9
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    left = await feed.messages()
    assert left
    assert await feed.deliveries() == []
    async with running(feed.fan_out()):
        await feed.caught_up()
    assert len(await feed.deliveries()) == len(JOURNEY)
    assert (await feed.messages()).items() >= left.items(), "the first ones stand"


async def test_an_endpoint_that_is_answered_gets_the_next_change_on_every_replica(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await feed.endpoint("first", client_id="client_009")
    async with running(feed.fan_out()):
        await feed.publish(creation(number(9)))
        await feed.caught_up()
        monkeypatch.setattr(fan_out_module, "LOOK_EVERY_S", 3600.0)
        await asyncio.sleep(0.3)  # the look that began before
        for index in range(5):
            endpoint = await feed.endpoint(f"new-{index}", client_id=f"client_{index}")
            await feed.publish(creation(number(index), client_id=f"client_{index}"))
            await feed.caught_up()
            assert (await feed.delivered())[-1] == (endpoint, "shipment.created", 1, "pending")


async def test_a_paused_endpoint_holds_and_a_resumed_one_does_not(feed: Feed) -> None:
    endpoint = await feed.endpoint("one", state="paused")
    async with running(feed.fan_out()):
        await feed.publish(creation())
        await feed.caught_up()
        await feed.change_endpoint(endpoint, state="active")
        await feed.publish(creation(number(2)))
        await feed.caught_up()
        await feed.change_endpoint(endpoint, state="paused")
        await feed.publish_again(await feed.publish(creation(number(3))))
        await feed.caught_up()
    assert feed.held == 2
    found = {each["tracking_number"]: each for each in await feed.deliveries()}
    states = [found[number(index)]["state"] for index in (1, 2, 3)]
    assert states == ["held", "pending", "held"]
    held = found[number(1)]
    assert held["due_at"] is None
    assert held["expires_at"] == held["created_at"] + timedelta(days=7)


async def test_what_holds_no_change_is_counted_and_what_follows_is_fanned_out(feed: Feed) -> None:
    await feed.endpoint("one")
    replica, registry = feed.fan_out(), CollectorRegistry()
    registry.register(ConsumerMetrics(replica, feed.group))
    for value in (b"\xff", b"{}", None):
        await feed.write(value)
    async with running(replica):
        await feed.publish(*JOURNEY)
        await feed.caught_up()
    assert len(await feed.deliveries()) == len(JOURNEY)
    labels = {"group": feed.group}
    assert registry.get_sample_value("waybill_consumer_skipped_records_total", labels) == 3


async def test_nothing_is_left_of_an_endpoint_that_was_deleted(feed: Feed) -> None:
    gone, stays = await feed.endpoint("gone"), await feed.endpoint("stays")
    async with running(feed.fan_out()):
        await feed.publish(creation())
        await feed.caught_up()
        await feed.database[WEBHOOK_ENDPOINTS].delete_one({"_id": gone})
        await feed.database[WEBHOOK_DELIVERIES].delete_many({"endpoint_id": gone})
        await feed.publish(creation(number(2)))
        await feed.caught_up()
    assert {each["endpoint_id"] for each in await feed.deliveries()} == {stays}


async def test_without_endpoints_nothing_is_read(feed: Feed) -> None:
    replica = feed.fan_out()
    async with running(replica):
        await feed.publish(creation())
        await asyncio.sleep(0.5)
        assert await feed.committed() == {}
        endpoint = await feed.endpoint("one")
        await feed.publish(creation(number(2)))
        await feed.caught_up()
        await wait_until(lambda: bool(replica.lags), what="the consumer's lag")
        await feed.database[WEBHOOK_ENDPOINTS].delete_one({"_id": endpoint})
        replica.endpoints_changed()

        async def rests() -> bool:
            replica.endpoints_changed()
            return not replica.lags and await members_of(feed.kafka, feed.group) == []

        await wait_for(rests, timeout_s=20, what="nobody in the group")
        await feed.endpoint("next")
        await feed.publish(creation(number(3)))
        await feed.caught_up()
    assert ("wh_next", number(3)) in [
        (each["endpoint_id"], each["tracking_number"]) for each in await feed.deliveries()
    ]


async def test_the_backlog_from_before_the_oldest_endpoint_is_not_read(feed: Feed) -> None:
    await feed.publish(*JOURNEY)
    await feed.write(b"{")  # counted if it is read
    await feed.endpoint("late", age=-timedelta(minutes=10))  # made long after what is published
    replica = feed.fan_out()
    async with running(replica):
        await feed.caught_up()
    assert (replica.skipped, await feed.deliveries()) == (0, [])


async def test_changes_since_an_endpoint_was_made_are_fanned_out_when_the_service_is_back(feed: Feed) -> None:
    await feed.endpoint("one")
    await feed.publish(creation())
    async with running(feed.fan_out()):
        await feed.caught_up()
    await feed.endpoint("two")
    await feed.publish(creation(number(2)))
    async with running(feed.fan_out()):
        await feed.caught_up()
    found = [(each["endpoint_id"], each["tracking_number"]) for each in await feed.deliveries()]
    assert found == [("wh_one", number(1)), ("wh_one", number(2)), ("wh_two", number(2))]


async def test_changes_wait_while_the_store_is_away(feed: Feed, mongo_uri: str) -> None:
    host = mongo_uri.removeprefix("mongodb://").partition("/")[0]
    await feed.endpoint("one")
    async with Proxy(host).running() as proxy:
        settings = MongoSettings(
            MONGO_URI=mongo_uri_of(proxy), MONGO_DB=feed.database.name, MONGO_TIMEOUT_S=2
        )  # type: ignore[call-arg]
        async with open_database(settings) as behind:
            replica = feed.fan_out(behind)
            async with running(replica):
                await feed.publish(creation())
                await feed.caught_up()
                proxy.cut()
                await feed.publish(*journey(2))
                await wait_until(
                    lambda: any("retrying" in each for each in replica.problems.values()),
                    timeout_s=20,
                    what="a retry",
                )
                proxy.heal()
                await feed.caught_up()
    assert len(await feed.deliveries()) == 1 + len(JOURNEY)


@pytest.mark.parametrize("partitions", [12])
async def test_replicas_share_the_partitions_and_fan_each_change_out_once(
    feed: Feed, partitions: int
) -> None:
    assert partitions == 12
    endpoints = [await feed.endpoint(f"{index}") for index in range(3)]
    one, other = feed.fan_out(instance="one"), feed.fan_out(instance="other")
    commands = [command for index in range(60) for command in journey(index)]
    async with running(one, other):
        verdicts = list(await feed.publish(*commands))
        await wait_until(lambda: bool(one.lags) and bool(other.lags), timeout_s=30, what="two owners")
        await feed.publish_again(verdicts)
        await feed.caught_up()
    deliveries = await feed.deliveries()
    assert len(deliveries) == len(commands) * len(endpoints)
    assert {(each["endpoint_id"], each["message_id"]) for each in deliveries} == {
        (endpoint, command.event_id) for endpoint in endpoints for command in commands
    }
    assert {each["_id"] for each in deliveries} == {
        delivery_id(endpoint, command.event_id) for endpoint in endpoints for command in commands
    }
