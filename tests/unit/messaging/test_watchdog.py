"""The watchdog ends: whatever it asks, it gives up itself where nobody answers."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from domain.errors import StoreUnavailable
from domain.processing.halts import STALLED_OPENS
from messaging.consumer import halting_recovery
from messaging.consumer.group import watchdog as watchdog_module
from messaging.consumer.group.assignment import Assignment
from messaging.consumer.group.watchdog import Watchdog
from messaging.consumer.halting_recovery import HaltingRecovery
from messaging.consumer.partition.partition_worker import PartitionWorker
from messaging.consumer.plain_consumer import PlainWorker, SkippingRecovery
from messaging.consumer.worker.worker_states import State
from messaging.dead_letters.records import Record
from messaging.settings import KafkaSettings
from messaging.topic_watch import TopicWatch
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import ScriptedHandler, log_records, worker_of, working

PARTITION = TopicPartition("topic", 0)


def _never(count: int) -> None:
    raise AssertionError(f"{count} records were skipped")


def _raise(error: BaseException) -> None:
    raise error


async def test_a_later_attempt_of_a_plain_handler_that_hangs_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watchdog_module, "EVERY_S", 0.01)
    consumer = AIOKafkaConsumer(group_id="group", enable_auto_commit=False)
    hung, given_up = asyncio.Event(), asyncio.Event()

    async def handle(_records: Sequence[Record]) -> None:
        if hung.is_set():
            await asyncio.Event().wait()
        hung.set()
        raise StoreUnavailable("away")

    worker = PlainWorker("topic/0", handle, max_batch=1, skipped=_never)
    assignment = Assignment[PlainWorker](lambda _partition: worker, _raise)
    recovery = SkippingRecovery(
        consumer, assignment, TopicWatch(KafkaSettings(), "topic", "group"), skipped=_never
    )
    watchdog = Watchdog(
        consumer, assignment, recovery, stalled_after_s=0.1, give_up=lambda _why: given_up.set()
    )
    worker.put(log_records(0, 1))
    assignment.take(consumer, [PARTITION])
    watching = asyncio.create_task(watchdog.run())
    await asyncio.wait_for(given_up.wait(), 5)
    assert worker.state is State.RETRYING
    watching.cancel()
    await assignment.release().finish(within_s=0)
    await consumer.stop()


async def test_it_gives_up_where_nobody_says_what_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halting_recovery, "RESPONSE_TIMEOUT_S", 0.05)
    consumer = AIOKafkaConsumer(group_id="group", enable_auto_commit=False)  # has no partition: no position
    given_up: list[str] = []
    worker = worker_of(ScriptedHandler())
    assignment = Assignment[PartitionWorker](lambda _partition: worker, _raise)
    recovery = HaltingRecovery(consumer, assignment, TopicWatch(KafkaSettings(), "topic", "group"))
    watchdog = Watchdog(consumer, assignment, recovery, stalled_after_s=1, give_up=given_up.append)
    async with working(worker):
        await wait_until(lambda: worker.state is State.RUNNING)
        worker.ownership.stalled_opens = STALLED_OPENS
        async with asyncio.timeout(5):
            await watchdog._end(PARTITION, worker, 1.0)  # noqa: SLF001  # it takes minutes to come here
        assert worker.state is State.RUNNING
    assert given_up == ["topic/0: records wait, no progress for 1 s"]
    await consumer.stop()
