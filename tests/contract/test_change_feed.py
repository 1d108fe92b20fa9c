"""`ChangeFeed`: every applied event is published, with the same id each time; nothing else is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
from pydantic_core import from_json

from domain.ports.core import ChangeFeed
from domain.processing.batch import Verdict
from domain.processing.judging import judge
from domain.shipments.event_identity import EventId
from domain.shipments.status import Status
from messaging.settings import KafkaSettings
from tests.support.builders import (
    ROUTE,
    consumed,
    consumed_all,
    creation,
    plan_for,
    record_of,
    redelivered,
    report,
)
from tests.support.fakes import InMemoryChangeFeed
from tests.support.producing import producer_on
from tests.support.topics import read_topic

STORY = consumed_all(creation(), *(report(status) for status in ROUTE))
IDS = [each.command.event_id for each in STORY]


@dataclass(frozen=True, slots=True)
class Feed:
    """Feed, and the ids of all published changes."""

    feed: ChangeFeed
    read: Callable[[], Awaitable[list[EventId]]]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def feed(request: pytest.FixtureRequest) -> Feed:
    chosen: Feed = request.getfixturevalue(f"{request.param}_feed")
    return chosen


@pytest.fixture
def memory_feed() -> Feed:
    fake = InMemoryChangeFeed()

    async def read() -> list[EventId]:
        return [verdict.consumed.command.event_id for verdict in fake.published]

    return Feed(fake, read)


@pytest.fixture
async def kafka_feed(kafka: KafkaSettings) -> AsyncIterator[Feed]:
    from messaging.producer.change_feed import KafkaChangeFeed  # noqa: PLC0415  # only with the stack
    from messaging.topics import Topics  # noqa: PLC0415  # only with the stack

    topics = Topics(kafka.topic_prefix)

    async def read() -> list[EventId]:
        records = await read_topic(kafka, topics.changes)
        return [EventId(from_json(record.value)["id"]) for record in records]

    async with producer_on(kafka) as producer:
        yield Feed(KafkaChangeFeed(producer, topics), read)


async def test_applied_events_are_published_in_log_order(feed: Feed) -> None:
    await feed.feed.publish(plan_for(STORY).verdicts)
    assert await feed.read() == IDS


async def test_a_replayed_change_is_published_again_with_the_same_id(feed: Feed) -> None:
    known = {each.command.event_id: record_of(each) for each in STORY}
    await feed.feed.publish(plan_for(STORY).verdicts)
    await feed.feed.publish(judge(redelivered(STORY), None, known).verdicts)
    assert await feed.read() == IDS + IDS


def without_change_feed() -> list[Verdict]:
    """Give a rejected event, a duplicate, a conflict, and what the duplicate filter alone knows."""
    picked_up = report(Status.PICKED_UP)
    contradiction = replace(picked_up, notes="something else at the same instant")
    sent = consumed_all(report(Status.DELIVERED), creation(), creation(), picked_up, contradiction)
    sent.append(consumed(report(Status.CANCELLED), len(sent), known_duplicate=True))
    return [verdict for verdict in plan_for(sent).verdicts if not verdict.is_published]


async def test_nothing_else_is_published(feed: Feed) -> None:
    verdicts = without_change_feed()
    assert len(verdicts) == 4
    await feed.feed.publish(verdicts)
    assert await feed.read() == []


async def test_nothing_to_publish_is_nothing_done(feed: Feed) -> None:
    await feed.feed.publish([])
    assert await feed.read() == []
