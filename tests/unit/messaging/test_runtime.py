"""The end of the loop meets a rebalance: nothing begins any more, nobody leaves before all is committed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from domain.line import Inherited, Start
from domain.ports import EndOffset
from messaging.partition import PartitionWorker
from messaging.runtime import PartitionRuntime
from messaging.runtime_settings import RuntimeSettings
from messaging.settings import KafkaSettings
from tests.unit.messaging.scripted import ScriptedHandler

pytestmark = pytest.mark.race

PARTITION = TopicPartition("topic", 0)
OTHER = TopicPartition("topic", 1)


class Opening(ScriptedHandler):
    """Never gets its partition."""

    async def open(self, end_offset: EndOffset) -> Inherited:  # noqa: ARG002  # of the port
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
