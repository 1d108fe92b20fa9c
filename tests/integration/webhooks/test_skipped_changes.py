"""Changes that a replica of an earlier release could not read: how docs/rollback.md brings them back."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from domain.errors import PoisonRecord
from domain.shipments.status import Status
from domain.webhooks.message import Change
from messaging.change_codec import decode_change
from messaging.settings import KafkaSettings
from storage.mongo.database import Database
from storage.mongo.schema import WEBHOOK_DELIVERIES
from tests.integration.webhooks.fanning_out import Feed, running
from tests.support.builders import ROUTE, creation, report
from webhooks.fanout import change_handler

pytestmark = pytest.mark.stack

UNKNOWN = Status.IN_TRANSIT
"""A status that the earlier release has not had."""


def of_an_earlier_release(value: bytes | None) -> Change:
    change = decode_change(value)
    if change.current_status is UNKNOWN:
        raise PoisonRecord(f"data.status: {UNKNOWN}")
    return change


@pytest.fixture
def feed(kafka: KafkaSettings, spare_database: Database) -> Feed:
    return Feed(kafka, spare_database)


async def set_back(feed: Feed) -> None:
    """Set the offsets of the stopped group back to the beginning, as `--reset-offsets` does."""
    partitions = [TopicPartition(feed.topic, number) for number in range(feed.kafka.partitions)]
    async with AIOKafkaConsumer(
        **feed.kafka.connection(), group_id=feed.group, enable_auto_commit=False
    ) as consumer:
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, 0))


async def test_a_skipped_change_is_fanned_out_once_the_group_is_set_back_and_no_other_again(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await feed.endpoint("one")
    with monkeypatch.context() as earlier:
        earlier.setattr(change_handler, "decode_change", of_an_earlier_release)
        replica = feed.fan_out()
        async with running(replica):
            await feed.publish(creation(), *(report(status) for status in ROUTE))
            await feed.caught_up()
    assert replica.skipped == 1
    await feed.database[WEBHOOK_DELIVERIES].update_many({}, {"$set": {"state": "delivered"}})
    await set_back(feed)
    async with running(feed.fan_out()):
        await feed.caught_up()
    states = [(each["type"].removeprefix("shipment."), each["state"]) for each in await feed.deliveries()]
    assert states == [
        (status, "pending" if status == UNKNOWN else "delivered") for status in (Status.CREATED, *ROUTE)
    ]
