"""The watchdog ends: whatever it asks, it gives up itself where nobody answers."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from domain.processing.halts import STALLED_OPENS
from messaging.consumer import watchdog as watchdog_module
from messaging.consumer.watchdog import Watchdog
from messaging.consumer.worker_states import State
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import ScriptedHandler, worker_of, working

PARTITION = TopicPartition("topic", 0)


async def test_it_gives_up_where_nobody_says_what_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog_module, "RESPONSE_TIMEOUT_S", 0.05)
    consumer = AIOKafkaConsumer(group_id="group", enable_auto_commit=False)  # has no partition: no position
    given_up: list[str] = []
    worker = worker_of(ScriptedHandler())
    watchdog = Watchdog(consumer, dict, stalled_after_s=1, give_up=given_up.append)
    async with working(worker):
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.stalled_opens = STALLED_OPENS
        async with asyncio.timeout(5):
            await watchdog._end(PARTITION, worker, 1.0)  # noqa: SLF001  # it takes minutes to come here
        assert worker.state is State.RUNNING
    assert given_up == ["topic/0: records wait, no progress for 1 s"]
    await consumer.stop()
