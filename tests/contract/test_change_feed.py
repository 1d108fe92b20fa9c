"""`ChangeFeed`: every applied event is told, with the same id whenever it is told; nothing else is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
from pydantic_core import from_json

from domain.batch import Verdict, judge
from domain.identity import EventId
from domain.ports import ChangeFeed
from domain.status import Status
from messaging.settings import KafkaSettings
from tests.contract.topics import producer_on, read_topic
from tests.support.builders import (
    NUMBER,
    ROUTE,
    creation,
    deliveries,
    delivery,
    plan_for,
    record_of,
    redelivered,
    report,
    shipment_after,
)
from tests.support.fakes import InMemoryChangeFeed

STORY = deliveries(creation(), *(report(status) for status in ROUTE))
IDS = [each.command.event_id for each in STORY]
LAST = plan_for(
    [delivery(report(Status.PICKED_UP, source="last"))], {NUMBER: shipment_after(creation())}
).verdicts
"""A change to tell last: once it has arrived, so has everything before it, as there is one key."""


@dataclass(frozen=True, slots=True)
class Feed:
    """The feed, and the ids of the first so many changes it told of."""

    feed: ChangeFeed
    read: Callable[[int], Awaitable[list[EventId]]]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def feed(request: pytest.FixtureRequest) -> Feed:
    chosen: Feed = request.getfixturevalue(f"{request.param}_feed")
    return chosen


@pytest.fixture
def memory_feed() -> Feed:
    fake = InMemoryChangeFeed()

    async def read(_count: int) -> list[EventId]:
        return [verdict.delivery.command.event_id for verdict in fake.published]

    return Feed(fake, read)


@pytest.fixture
async def kafka_feed(kafka: KafkaSettings) -> AsyncIterator[Feed]:
    from messaging.changes import KafkaChangeFeed  # noqa: PLC0415  # only with the stack
    from messaging.topics import Topics  # noqa: PLC0415  # only with the stack

    topics = Topics(kafka.topic_prefix)

    async def read(count: int) -> list[EventId]:
        records = await read_topic(kafka, topics.changes, count)
        return [EventId(from_json(record.value)["id"]) for record in records]

    async with producer_on(kafka) as producer:
        yield Feed(KafkaChangeFeed(producer, topics), read)


async def test_what_was_applied_is_told_in_the_order_of_the_log(feed: Feed) -> None:
    await feed.feed.publish(plan_for(STORY).verdicts)
    assert await feed.read(len(IDS)) == IDS


async def test_what_is_replayed_is_told_again_with_the_same_id(feed: Feed) -> None:
    known = {each.command.event_id: record_of(each) for each in STORY}
    await feed.feed.publish(plan_for(STORY).verdicts)
    await feed.feed.publish(judge(redelivered(STORY), None, known).verdicts)
    assert await feed.read(2 * len(IDS)) == IDS + IDS


def untold() -> list[Verdict]:
    """Give a rejected event, a duplicate, a conflict, and what the duplicate filter alone knows."""
    picked_up = report(Status.PICKED_UP)
    contradiction = replace(picked_up, notes="something else at the same instant")
    sent = deliveries(report(Status.DELIVERED), creation(), creation(), picked_up, contradiction)
    sent.append(delivery(report(Status.CANCELLED), len(sent), known_duplicate=True))
    return [verdict for verdict in plan_for(sent).verdicts if not verdict.is_told]


async def test_nothing_else_is_told(feed: Feed) -> None:
    verdicts = untold()
    assert len(verdicts) == 4
    await feed.feed.publish(verdicts)
    await feed.feed.publish(LAST)
    assert await feed.read(1) == [LAST[0].delivery.command.event_id]


async def test_nothing_to_tell_is_nothing_done(feed: Feed) -> None:
    await feed.feed.publish([])
    await feed.feed.publish(LAST)
    assert await feed.read(1) == [LAST[0].delivery.command.event_id]
