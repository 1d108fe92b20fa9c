"""The end of the loop meets a rebalance: nothing begins any more, nobody leaves before all is committed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from domain.line import Inherited
from domain.ports import EndOffset
from messaging.partition import PartitionWorker
from messaging.runtime import PartitionRuntime
from messaging.runtime_settings import RuntimeSettings
from messaging.settings import KafkaSettings
from tests.unit.messaging.scripted import ScriptedHandler

pytestmark = pytest.mark.race

PARTITION = TopicPartition("topic", 0)


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
