"""The tail of the change feed on a real Kafka: what is passed on, and that faults hide nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest

from domain.ports.live import CurrentStatus
from domain.shipments.commands import Command
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from messaging.consumer.change_tail import ChangeTail
from messaging.producer.change_feed import KafkaChangeFeed
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from tests.support.builders import (
    NUMBER,
    RECORDED_AT,
    ROUTE,
    consumed_all,
    creation,
    ends_at,
    number,
    plan_for,
    report,
)
from tests.support.fakes import Documents, InMemoryShipmentStore, InMemoryStatusReader
from tests.support.producing import producer_on
from tests.support.proxy import Proxy
from tests.support.topics import end_offsets, forget_records, write_values
from tests.support.waiting import wait_until

pytestmark = pytest.mark.stack

PICKED_UP = CurrentStatus(2, Status.PICKED_UP)
DELIVERED = CurrentStatus(5, Status.DELIVERED)
STORY: Final[tuple[Command, ...]] = (creation(), *(report(status) for status in ROUTE))


@dataclass
class World:
    """The store and the feed that a processor writes, and what a listener has heard."""

    kafka: KafkaSettings
    documents: Documents = field(default_factory=Documents)
    heard: list[CurrentStatus] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.statuses = InMemoryStatusReader(self.documents)

    @property
    def topic(self) -> str:
        """The topic of changes."""
        return Topics(self.kafka.topic_prefix).changes

    async def publish(self, *commands: Command) -> None:
        """Publish the changes of commands on a new shipment."""
        async with producer_on(self.kafka) as producer:
            feed = KafkaChangeFeed(producer, Topics(self.kafka.topic_prefix))
            await feed.publish(plan_for(consumed_all(*commands)).verdicts)

    async def store(self, *commands: Command) -> None:
        """Store what becomes of a new shipment."""
        store = InMemoryShipmentStore(self.documents)
        fence = await store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
        await store.commit([(fence, plan_for(consumed_all(*commands)))], recorded_at=RECORDED_AT)

    async def hears(self, status: CurrentStatus) -> None:
        """Wait until the listener has heard a status."""
        await wait_until(lambda: status in self.heard, timeout_s=15, what=f"{status}, not {self.heard}")


@pytest.fixture
def world(kafka: KafkaSettings) -> World:
    return World(kafka)


@asynccontextmanager
async def tail_of(
    world: World, kafka: KafkaSettings | None = None, *, idle_s: float = 30.0
) -> AsyncIterator[ChangeTail]:
    tail = ChangeTail(kafka or world.kafka, world.statuses, idle_s=idle_s)
    async with tail.running():
        yield tail


@asynccontextmanager
async def followed(world: World, kafka: KafkaSettings | None = None) -> AsyncIterator[ChangeTail]:
    """Follow the shipment that most tests are about."""
    async with tail_of(world, kafka) as tail:
        with tail.listening(NUMBER, world.heard.append):
            await wait_until(lambda: tail.is_following, timeout_s=15, what="the tail follows")
            yield tail


async def test_listener_hears_the_changes_of_its_shipment_alone(world: World) -> None:
    other, others = number(7), list[CurrentStatus]()
    async with followed(world) as tail:
        with tail.listening(other, others.append):
            await world.publish(*STORY)
            await world.publish(creation(other), report(Status.PICKED_UP, other))
            await world.hears(DELIVERED)
            await wait_until(lambda: PICKED_UP in others, timeout_s=15)

    assert {status.version for status in others} <= {1, 2}
    assert world.heard == sorted(world.heard, key=lambda status: status.version)


async def test_changes_of_before_are_not_heard_and_late_listeners_miss_none(world: World) -> None:
    await world.publish(*STORY)
    late = list[CurrentStatus]()
    async with followed(world) as tail:
        with tail.listening(TrackingNumber(NUMBER), late.append):
            await world.publish(*STORY[:2])  # as after a crash: published once more
            await world.hears(PICKED_UP)
            await wait_until(lambda: PICKED_UP in late)

    assert DELIVERED not in world.heard


async def test_records_that_nobody_can_read_are_passed_over(world: World) -> None:
    key = NUMBER.encode()
    async with followed(world) as tail:
        await write_values(
            world.kafka, world.topic, [(key, b"{"), (key, None), (None, b"x"), (b"\xff", b"x"), (b"", None)]
        )
        await world.publish(*STORY)
        await world.hears(DELIVERED)
        assert tail.is_following


async def test_what_changed_while_kafka_was_away_is_read_from_the_store(
    world: World, proxied_kafka: KafkaSettings, kafka_proxy: Proxy
) -> None:
    async with followed(world, proxied_kafka) as tail:
        await world.publish(*STORY[:2])
        await world.hears(PICKED_UP)

        kafka_proxy.cut()
        await world.publish(*STORY)
        await world.store(*STORY)
        partitions = range(world.kafka.partitions)
        ends = await end_offsets(world.kafka, world.topic)
        await forget_records(world.kafka, world.topic, below={each: ends[each] for each in partitions})
        kafka_proxy.heal()

        await world.hears(DELIVERED)
        await wait_until(lambda: tail.is_following, timeout_s=15)


async def test_listener_gets_the_status_when_reading_begins(world: World) -> None:
    await world.store(*STORY)
    async with followed(world):
        assert world.heard == [DELIVERED]


async def test_nothing_is_read_while_nobody_listens(world: World) -> None:
    async with tail_of(world, idle_s=0.2) as tail:
        await asyncio.sleep(0)
        assert not tail.is_following
        for _ in range(2):
            with tail.listening(NUMBER, world.heard.append):
                await wait_until(lambda: tail.is_following, timeout_s=15)
            await wait_until(lambda: not tail.is_wanted, timeout_s=15)
            await wait_until(lambda: not tail.is_following, timeout_s=15)


async def test_listener_that_comes_while_the_tail_rests_is_heard(world: World) -> None:
    async with tail_of(world, idle_s=0.0) as tail:
        with tail.listening(NUMBER, world.heard.append):
            await wait_until(lambda: tail.is_following, timeout_s=15)
        with tail.listening(NUMBER, world.heard.append):  # at once, while it may be closing
            await wait_until(lambda: tail.is_following, timeout_s=15)
            await world.publish(*STORY)
            await world.hears(DELIVERED)


async def test_tail_waits_for_a_kafka_that_is_not_there(
    world: World, proxied_kafka: KafkaSettings, kafka_proxy: Proxy
) -> None:
    kafka_proxy.cut()
    async with tail_of(world, proxied_kafka) as tail:
        with tail.listening(NUMBER, world.heard.append):
            await wait_until(lambda: kafka_proxy.connections > 0)
            assert tail.is_wanted
            assert not tail.is_following
            kafka_proxy.heal()
            await wait_until(lambda: tail.is_following, timeout_s=15)
            await world.publish(*STORY)
            await world.hears(DELIVERED)
