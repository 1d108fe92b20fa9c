"""The end of the loop meets a rebalance: nothing begins any more, nobody leaves before all is committed."""

import asyncio
from collections.abc import AsyncIterator
from unittest.mock import AsyncMock

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from domain.ports.core import EndOffset, IsAnother
from domain.processing.halts import Halt, PartitionCheckpoint, Start
from messaging.consumer.consumer_settings import RuntimeSettings
from messaging.consumer.offsets import restart_offset
from messaging.consumer.partition_worker import PartitionWorker
from messaging.consumer.runtime import PartitionRuntime
from messaging.consumer.worker_states import State
from messaging.settings import KafkaSettings
from messaging.topic_watch import TopicWatch
from tests.support.builders import NOON
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import ScriptedHandler, worker_of, working

pytestmark = pytest.mark.race

PARTITION = TopicPartition("topic", 0)
OTHER = TopicPartition("topic", 1)


class Opening(ScriptedHandler):
    """Never gets its partition."""

    async def open(
        self,
        end_offset: EndOffset,  # noqa: ARG002  # of the port
        is_another: IsAnother | None = None,  # noqa: ARG002  # as above
    ) -> PartitionCheckpoint:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture
async def consumer() -> AsyncIterator[AIOKafkaConsumer]:
    """One that has never been started: nothing can be committed."""
    consumer = AIOKafkaConsumer(group_id="group", enable_auto_commit=False)
    yield consumer
    await consumer.stop()


@pytest.fixture
def handlers() -> list[Opening]:
    return []


@pytest.fixture
def runtime(handlers: list[Opening]) -> PartitionRuntime:
    def handler_of(_partition: TopicPartition) -> Opening:
        handlers.append(Opening())
        return handlers[-1]

    settings = RuntimeSettings(kafka=KafkaSettings(), topic="topic", group="group", instance="a")
    return PartitionRuntime(settings, handler_of)


async def test_nothing_is_taken_up_once_the_end_has_come(
    runtime: PartitionRuntime, consumer: AIOKafkaConsumer, handlers: list[Opening]
) -> None:
    runtime.stop()
    runtime.take(consumer, [PARTITION])
    assert handlers == []
    assert not runtime.is_ready


async def test_a_second_release_waits_for_the_first(
    runtime: PartitionRuntime, consumer: AIOKafkaConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drained = asyncio.Event()

    async def drain(_worker: PartitionWorker) -> None:
        await drained.wait()

    monkeypatch.setattr(PartitionWorker, "drain", drain)
    runtime.take(consumer, [PARTITION])
    releases = [asyncio.create_task(runtime.release(consumer)) for _ in range(2)]
    await asyncio.sleep(0.05)  # not for a condition: nothing may happen
    assert [each.done() for each in releases] == [False, False]
    drained.set()
    await asyncio.wait_for(asyncio.gather(*releases), 5)


@pytest.mark.parametrize(
    ("is_another", "position", "state", "sought"),
    [
        (False, 500, State.HALTED, []),
        (True, 500, State.OPENING, [0]),
        (None, 500, State.OPENING, []),
        (False, 0, State.OPENING, []),
    ],
    ids=["the same topic", "another topic", "nobody says", "sought meanwhile"],
)
async def test_only_a_recreated_topic_is_read_again_where_the_log_ends_too_early(  # noqa: PLR0913  # a case, and fixtures
    runtime: PartitionRuntime,
    consumer: AIOKafkaConsumer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_another: bool | None,
    position: int,
    state: State,
    sought: list[int],
) -> None:
    seeks: list[int] = []
    monkeypatch.setattr(consumer, "beginning_offsets", AsyncMock(return_value={PARTITION: 0}))
    monkeypatch.setattr(consumer, "end_offsets", AsyncMock(return_value={PARTITION: 490}))
    monkeypatch.setattr(consumer, "position", AsyncMock(return_value=position))
    monkeypatch.setattr(consumer, "seek", lambda _partition, offset: seeks.append(offset))
    monkeypatch.setattr(TopicWatch, "is_another", AsyncMock(return_value=is_another))
    runtime.take(consumer, [PARTITION])
    [worker] = runtime._workers.values()  # noqa: SLF001  # what aiokafka raises takes a broker that loses records
    await runtime._overcome(consumer, OffsetOutOfRangeError({PARTITION: 500}))  # noqa: SLF001  # as above
    assert (worker.state, seeks) == (state, sought)
    if state is State.HALTED:
        assert worker.problem == "the log ends at 490, applied up to 500: its tail was lost"
    await runtime.release(consumer)


@pytest.mark.parametrize(("skip_to", "expected"), [(7, 7), (1_073_741_827, 9)])
async def test_nothing_is_skipped_beyond_the_logs_end(
    consumer: AIOKafkaConsumer, monkeypatch: pytest.MonkeyPatch, skip_to: int, expected: int
) -> None:
    monkeypatch.setattr(consumer, "end_offsets", AsyncMock(return_value={PARTITION: 9}))
    handler = ScriptedHandler(halt=Halt("a batch", NOON, skip_to=skip_to))
    worker = worker_of(handler)
    async with working(worker, end_offset=9):
        await wait_until(lambda: worker.skip_to == skip_to)
        worker.restart = Start.NEXT
        assert await restart_offset(consumer, PARTITION, worker) == expected


async def test_what_is_released_between_two_awaits_is_not_sought_any_more(
    runtime: PartitionRuntime, consumer: AIOKafkaConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: list[TopicPartition] = []

    async def committed(_partition: TopicPartition) -> None:
        await runtime.release(consumer)

    async def beginning_offsets(partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        await runtime.release(consumer)
        return dict.fromkeys(partitions, 0)

    async def seek_to_beginning(*partitions: TopicPartition) -> None:
        sought.extend(partitions)

    monkeypatch.setattr(consumer, "committed", committed)
    monkeypatch.setattr(consumer, "beginning_offsets", beginning_offsets)
    monkeypatch.setattr(consumer, "seek_to_beginning", seek_to_beginning)
    monkeypatch.setattr(consumer, "seek", lambda partition, _offset: sought.append(partition))
    runtime.take(consumer, [PARTITION, OTHER])
    await runtime._start_at_beginning(consumer)  # noqa: SLF001  # it takes a rebalance at one of its awaits
    assert sought == []

    runtime.take(consumer, [PARTITION])
    [worker] = runtime._workers.values()  # noqa: SLF001  # as above
    worker.restart = Start.EARLIEST
    await runtime._restart(consumer)  # noqa: SLF001  # as above
    assert sought == []
