"""A plain consumer on a real Kafka: at least once, in order, retried in place, shared and handed over."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from aiokafka.codec import zstd_encode
from prometheus_client import CollectorRegistry

from domain.errors import StoreUnavailable
from messaging import topic_watch
from messaging.consumer.group import watchdog
from messaging.consumer.group.consumer_loop import RuntimeStopped
from messaging.consumer.plain_consumer import PlainConsumer
from messaging.decompressing import MAX_BATCH_BYTES
from messaging.metrics import ConsumerMetrics
from messaging.settings import KafkaSettings
from messaging.topics import declaration
from tests.integration.messaging import plain_consuming
from tests.integration.messaging.plain_consuming import Readers
from tests.support.raw_batches import batch, record, write_batch
from tests.support.topics import admin_of, forget_records
from tests.support.waiting import wait_for, wait_until

pytestmark = pytest.mark.stack

ZSTD = 4


@pytest.fixture
def readers(kafka: KafkaSettings) -> Readers:
    return Readers(kafka)


@asynccontextmanager
async def running(consumer: PlainConsumer) -> AsyncIterator[asyncio.Task[None]]:
    """Run a consumer while the context lasts, then stop it as SIGTERM does."""
    task = asyncio.create_task(consumer.run())
    try:
        yield task
    finally:
        consumer.stop()
        await task


async def test_a_restart_continues_where_the_last_run_has_committed(readers: Readers) -> None:
    await readers.write(150, 0)
    async with running(readers.member()):
        await wait_until(lambda: readers.count > 0, timeout_s=10)
    assert await readers.committed() == {0: readers.count}, "what is handled is committed at the end"
    await readers.write(30, 1)
    async with running(readers.member()):
        await readers.all_committed()
    assert readers.offsets == {0: list(range(150)), 1: list(range(30))}


async def test_a_member_that_joins_in_the_middle_skips_nothing_and_keeps_the_order_of_a_key(
    readers: Readers,
) -> None:
    readers.pause_s = 0.1
    for partition in (0, 1):
        await readers.write(300, partition)
    other = readers.member("other")
    async with running(readers.member("one")):
        await wait_until(lambda: readers.count > 40, timeout_s=10)
        async with running(other):
            await wait_until(lambda: other.is_ready, timeout_s=20, what="a second owner")
            for partition in (0, 1):
                await readers.write(50, partition, key=b"late-%d" % partition)
            await readers.all_committed()
            assert set(readers.owners.values()) == {"one", "other"}
        for partition in (0, 1):
            await readers.write(10, partition, key=b"last-%d" % partition)
        await readers.all_committed()
    assert set(readers.owners.values()) == {"one"}
    for offsets in readers.offsets.values():
        assert set(offsets) == set(range(360))
        assert all(after <= before + 1 for before, after in pairwise(offsets)), "a record was skipped"
    assert readers.values[b"late-0"][-50:] == list(range(50))


async def test_a_handler_that_fails_is_retried_in_place_while_other_partitions_go_on(
    readers: Readers,
) -> None:
    readers.errors[0] = StoreUnavailable("a receiver is away")
    await readers.write(100, 0)
    await readers.write(200, 1)
    consumer = readers.member()
    async with running(consumer):
        await wait_until(lambda: len(readers.offsets[1]) == 200, timeout_s=15, what="the other partition")
        await wait_until(lambda: readers.calls[0] > 3, timeout_s=10, what="retries")
        assert consumer.problems == {f"{readers.topic}/0": "retrying: a receiver is away"}
        assert 0 not in await readers.committed()
        del readers.errors[0]
        await readers.all_committed()
        await wait_until(lambda: consumer.is_ready)
    assert readers.offsets[0] == list(range(100))


async def test_a_death_between_the_handler_and_the_commit_redelivers(readers: Readers) -> None:
    await readers.write(60, 0)
    script = Path(plain_consuming.__file__)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.messaging.plain_consuming",
        readers.kafka.brokers,
        readers.kafka.topic_prefix,
        readers.group,
        "40",
        stdout=PIPE,
        cwd=script.parents[3],
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 30)
    died_with = [int(offset) for offset in re.findall(r"^handled (\d+)$", printed.decode(), re.MULTILINE)]
    assert died_with == list(range(len(died_with)))
    assert len(died_with) >= 40
    assert await readers.committed() == {}
    async with running(readers.member("next")):
        await readers.all_committed()
    assert readers.offsets[0] == list(range(60))


async def test_stopping_finishes_the_batch_in_flight_and_commits_it(readers: Readers) -> None:
    readers.gates[0] = asyncio.Event()
    await readers.write(90, 0)
    consumer = readers.member(commit_every_s=60.0)
    task = asyncio.create_task(consumer.run())
    await wait_until(lambda: readers.calls[0] == 1, timeout_s=10)
    consumer.stop()
    readers.gates[0].set()
    await task
    assert 0 < readers.count <= 20, "one batch, no more"
    assert await readers.committed() == {0: readers.count}


async def test_a_batch_that_is_not_done_within_the_drain_is_not_committed(readers: Readers) -> None:
    readers.gates[0] = asyncio.Event()
    await readers.write(10, 0)
    async with running(readers.member(drain_s=0.2)):
        await wait_until(lambda: readers.calls[0] == 1, timeout_s=10)
    assert await readers.committed() == {}


async def test_a_bug_in_the_handler_ends_the_loop_and_loses_nothing(readers: Readers) -> None:
    readers.errors[0] = ValueError("a bug")
    await readers.write(10, 0)
    with pytest.raises(RuntimeStopped, match="a bug"):
        await asyncio.wait_for(readers.member().run(), 30)
    assert await readers.committed() == {}


async def test_a_handler_that_hangs_ends_the_loop(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "EVERY_S", 0.1)
    readers.gates[0] = asyncio.Event()
    await readers.write(1, 0)
    with pytest.raises(RuntimeStopped, match="no progress"):
        await asyncio.wait_for(readers.member(stalled_after_s=0.5, drain_s=0.2).run(), 30)


async def test_what_nobody_can_read_is_counted_and_what_follows_is_handled(readers: Readers) -> None:
    registry = CollectorRegistry()
    consumer = readers.member()
    registry.register(ConsumerMetrics(consumer, readers.group))
    await readers.write(3, 0)
    odd = record(0, value=b"1", headers=[(b"\xff\xfe", b"\0")])
    await write_batch(readers.kafka, readers.topic, 0, batch([odd]))
    bomb = batch([record(0, value=bytes(MAX_BATCH_BYTES))], attributes=ZSTD, encode=zstd_encode)
    await write_batch(readers.kafka, readers.topic, 0, bomb)
    await readers.write(3, 0)
    async with running(consumer):
        await readers.all_committed()
    assert readers.offsets[0] == [0, 1, 2, 5, 6, 7]
    labels = {"group": readers.group}
    assert registry.get_sample_value("waybill_consumer_skipped_records_total", labels) == 2


async def test_what_retention_took_unread_is_counted_once_and_reading_continues(readers: Readers) -> None:
    await readers.write(10, 0)
    async with running(readers.member()):
        await readers.all_committed()
    await readers.write(20, 0)
    await forget_records(readers.kafka, readers.topic, below={0: 30})
    consumer = readers.member()
    async with running(consumer):
        await wait_until(lambda: consumer.skipped == 20, timeout_s=15, what="the loss")
        await wait_until(lambda: consumer.lags.get(0) == 0, timeout_s=15, what="no lag")
    consumer = readers.member()
    async with running(consumer):
        await readers.write(2, 0)
        await readers.all_committed()
    assert (readers.offsets[0], consumer.skipped) == ([*range(10), 30, 31], 0)


@pytest.mark.timeout(120)
async def test_a_topic_that_was_recreated_with_more_partitions_is_read_from_its_beginning(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_watch, "EVERY_S", 0.3)
    await readers.write(5, 0)
    async with running(readers.member()):
        await readers.all_committed()
        more = readers.kafka.model_copy(update={"partitions": 3})
        async with admin_of(readers.kafka) as admin:
            await admin.delete_topics([readers.topic])

            async def created() -> bool:
                response = await admin.create_topics([declaration(readers.topic, more)])
                return all(code == 0 for _, code, *_ in response.topic_errors)

            await wait_for(created, timeout_s=10, what="the topic")
        for partition in range(3):
            await readers.write(9, partition)

        def is_read() -> bool:
            read = {partition: set(offsets) for partition, offsets in readers.offsets.items()}
            again = readers.offsets[0][5:]
            return all(read.get(each) == set(range(9)) for each in range(3)) and set(again) == set(range(9))

        await wait_until(is_read, timeout_s=60, what="all of the new topic")
