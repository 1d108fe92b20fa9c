"""Moving a group ahead, on a real Kafka: past what nobody reads, never back, and not under its members."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import StoreUnavailable
from messaging.consumer import moving_ahead
from messaging.consumer.moving_ahead import move_ahead
from messaging.settings import KafkaSettings
from tests.integration.messaging.plain_consuming import Readers, settings_of
from tests.support.proxy import Proxy
from tests.support.topics import commit_offsets, read_topic
from tests.support.waiting import wait_until

pytestmark = pytest.mark.stack

HOUR = timedelta(hours=1)


@pytest.fixture
def readers(kafka: KafkaSettings) -> Readers:
    return Readers(kafka)


async def moved(readers: Readers, instant: datetime) -> dict[int, int]:
    """Move the group; return what it has committed then."""
    await move_ahead(settings_of(readers.kafka, readers.topic, readers.group, "mover"), instant)
    return await readers.committed()


async def test_a_new_group_begins_at_the_first_record_since_the_instant(readers: Readers) -> None:
    await readers.write(3, 0)
    await asyncio.sleep(0.01)  # the broker stamps milliseconds
    await readers.write(2, 0)
    await readers.write(1, 1)
    stamps = [each.timestamp for each in await read_topic(readers.kafka, readers.topic)]
    assert stamps[2] < stamps[3]
    assert await moved(readers, datetime.fromtimestamp(stamps[3] / 1000, UTC)) == {0: 3, 1: 0}


async def test_a_group_that_is_behind_moves_to_the_end_if_nothing_is_as_new(readers: Readers) -> None:
    await readers.write(5, 0)
    await commit_offsets(readers.kafka, readers.group, readers.topic, {0: 2})
    assert await moved(readers, datetime.now(UTC) + HOUR) == {0: 5, 1: 0}


async def test_a_group_never_moves_back(readers: Readers) -> None:
    await readers.write(5, 0)
    await commit_offsets(readers.kafka, readers.group, readers.topic, {0: 4})
    assert await moved(readers, datetime.now(UTC) - HOUR) == {0: 4, 1: 0}


async def test_an_offset_that_the_log_does_not_reach_is_replaced(readers: Readers) -> None:
    await readers.write(5, 0)
    await commit_offsets(readers.kafka, readers.group, readers.topic, {0: 900})
    assert await moved(readers, datetime.now(UTC) - HOUR) == {0: 0, 1: 0}


async def test_nothing_moves_under_a_member(readers: Readers) -> None:
    readers.gates = {0: asyncio.Event()}
    await readers.write(5, 0)
    consumer = readers.member()
    task = asyncio.create_task(consumer.run())
    await wait_until(lambda: readers.calls[0] == 1, timeout_s=20, what="a batch in flight")
    assert await moved(readers, datetime.now(UTC) + HOUR) == {}
    readers.gates[0].set()
    await wait_until(lambda: readers.count == 5, what="the batch")
    consumer.stop()
    await task
    assert await readers.committed() == {0: 5}


async def test_a_kafka_that_hangs_is_given_up_in_time(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving_ahead, "_TIMEOUT_S", 0.5)
    async with Proxy(readers.kafka.brokers, disguise=True).running() as proxy:
        behind = readers.kafka.model_copy(update={"brokers": proxy.address})
        proxy.stall()
        with pytest.raises(StoreUnavailable, match="Timeout"):
            async with asyncio.timeout(10):
                await move_ahead(
                    settings_of(behind, readers.topic, readers.group, "mover"), datetime.now(UTC)
                )


async def test_without_the_topic_it_says_so(readers: Readers) -> None:
    settings = settings_of(readers.kafka, "nowhere", readers.group, "mover")
    with pytest.raises(StoreUnavailable, match="no topic nowhere"):
        await move_ahead(settings, datetime.now(UTC))
