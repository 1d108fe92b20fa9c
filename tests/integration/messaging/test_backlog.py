"""Backlog of a group, seen from outside: by the applied offsets, and by the broker's clock."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from domain.errors import StoreUnavailable
from messaging.backlog import Backlog, Waiting
from messaging.health import KafkaProbe
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from tests.support.raw_batches import batch, record, write_batch
from tests.support.waiting import wait_for

pytestmark = pytest.mark.stack

GROUP = "a-group"


def soon() -> datetime:
    """Return an instant that all records so far were appended before."""
    return datetime.now(UTC) + timedelta(seconds=60)


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=60)


class NumberedBacklog:
    """The backlog of a log that has not grown, by the numbers of its partitions."""

    def __init__(self, backlog: Backlog, topic: str) -> None:
        self.members = backlog.members
        self._backlog = backlog
        self._topic = topic

    async def waiting(self, applied: Mapping[int, int], *, since: datetime) -> list[int]:
        names = await self._backlog.waiting(self._named(applied), since=since)
        return [self._number(name) for name in names]

    async def depths(self, applied: Mapping[int, int]) -> dict[int, Waiting]:
        depths = await self._backlog.depths(self._named(applied))
        return {self._number(name): waiting for name, waiting in depths.items()}

    def _named(self, applied: Mapping[int, int]) -> dict[str, int]:
        return {f"{self._topic}/{number}": offset for number, offset in applied.items()}

    def _number(self, name: str) -> int:
        topic, _, number = name.rpartition("/")
        assert topic == self._topic
        return int(number)


@pytest.fixture
async def backlog(kafka: KafkaSettings) -> AsyncIterator[NumberedBacklog]:
    backlog = Backlog(kafka, GROUP)
    yield NumberedBacklog(backlog, Topics(kafka.topic_prefix).events)
    await backlog.stop()


@pytest.fixture
async def producer(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(**kafka.connection(), acks="all") as producer:
        yield producer


async def test_what_is_not_applied_and_older_than_asked_for_waits(
    kafka: KafkaSettings, backlog: NumberedBacklog, producer: AIOKafkaProducer
) -> None:
    topic = Topics(kafka.topic_prefix).events
    assert await backlog.waiting({}, since=soon()) == []
    # What a producer says of the time does not count.
    for timestamp_ms in (1, None):
        await producer.send_and_wait(topic, b"{}", partition=1, timestamp_ms=timestamp_ms)
    assert await backlog.waiting({}, since=soon()) == [1]
    assert await backlog.waiting({}, since=long_ago()) == []
    assert await backlog.waiting({1: 1}, since=soon()) == [1]
    assert await backlog.waiting({1: 2}, since=soon()) == []
    await producer.send_and_wait(topic, b"{}", partition=0)
    assert await backlog.waiting({1: 1}, since=soon()) == [0, 1]
    # A topic that was made again begins below what was applied of the one before.
    assert await backlog.waiting({0: 900, 1: 2}, since=soon()) == [0]


async def test_depths_count_what_waits_and_say_since_when(
    kafka: KafkaSettings, backlog: NumberedBacklog, producer: AIOKafkaProducer
) -> None:
    topic = Topics(kafka.topic_prefix).events
    assert await backlog.depths({}) == {0: Waiting(0, None), 1: Waiting(0, None)}
    appended = [await producer.send_and_wait(topic, b"{}", partition=1) for _ in range(3)]
    second = datetime.fromtimestamp(appended[1].timestamp / 1000, UTC)
    assert await backlog.depths({1: 1}) == {0: Waiting(0, None), 1: Waiting(2, second)}
    assert await backlog.depths({1: 3}) == {0: Waiting(0, None), 1: Waiting(0, None)}


async def test_markers_and_what_was_aborted_wait_for_nobody(
    kafka: KafkaSettings, backlog: NumberedBacklog
) -> None:
    topic = Topics(kafka.topic_prefix).events
    async with AIOKafkaProducer(**kafka.connection(), transactional_id=f"{topic}-test") as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"{}", partition=0)
        assert await backlog.waiting({0: 0}, since=soon()) == [0]
        assert await backlog.waiting({0: 1}, since=soon()) == []
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"{}", partition=0)
        assert await backlog.waiting({0: 1}, since=soon()) == [0], "nothing passes an open transaction"
        await producer.abort_transaction()

        async def is_over() -> bool:
            return await backlog.waiting({0: 1}, since=soon()) == []

        await wait_for(is_over, timeout_s=15, what="nothing to wait")


async def test_a_record_that_nobody_can_read_waits_like_any_other(
    kafka: KafkaSettings, backlog: NumberedBacklog
) -> None:
    odd = batch([record(0, headers=[(b"\xff\xfe", None)])])
    await write_batch(kafka, Topics(kafka.topic_prefix).events, 1, odd)
    assert await backlog.waiting({}, since=soon()) == [1]


async def test_members_of_the_group_are_counted(kafka: KafkaSettings, backlog: NumberedBacklog) -> None:
    assert await backlog.members() == 0
    async with AIOKafkaConsumer(
        Topics(kafka.topic_prefix).events, **kafka.connection(), group_id=GROUP
    ) as consumer:
        await consumer.getmany(timeout_ms=100)
        assert await backlog.members() == 1


async def test_a_missing_topic_is_reported(kafka: KafkaSettings) -> None:
    kafka = kafka.model_copy(update={"topic_prefix": f"{kafka.topic_prefix}nothing-"})
    topic = Topics(kafka.topic_prefix).events
    backlog, probe = Backlog(kafka, GROUP), KafkaProbe(kafka)
    with pytest.raises(StoreUnavailable, match="no topic"):
        await backlog.waiting({}, since=soon())
    assert await probe.obstacle(topic) == f"there is no topic {topic}"
    await backlog.stop()
    await probe.stop()


async def test_an_append_needs_responsive_brokers_and_enough_replicas(kafka: KafkaSettings) -> None:
    topic = Topics(kafka.topic_prefix).events
    probe, strict = KafkaProbe(kafka), KafkaProbe(kafka.model_copy(update={"min_insync_replicas": 2}))
    assert await probe.obstacle(topic) is None
    assert await strict.obstacle(topic) == "partition 0 has only 1 replicas in sync"
    away = KafkaProbe(kafka.model_copy(update={"brokers": "127.0.0.1:1"}))
    assert "does not respond" in (await away.obstacle(topic) or "")
    for each in (probe, strict, away):
        await each.stop()
