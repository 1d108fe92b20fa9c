"""Lag of a group, as Prometheus scrapes it."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from domain.errors import StoreUnavailable
from messaging.consumer.group import lag
from messaging.metrics import PartitionMetrics
from messaging.settings import KafkaSettings
from tests.integration.messaging.consuming import Group, running
from tests.support.waiting import wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def group(kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> Group:
    monkeypatch.setattr(lag, "REFRESH_EVERY_S", 0.1)
    return Group(kafka)


async def test_what_is_fetched_but_not_applied_is_behind(group: Group) -> None:
    await group.write(7, 0)
    group.journal.errors[0] = StoreUnavailable("MongoDB is away")
    runtime = group.runtime()
    registry = CollectorRegistry()
    registry.register(PartitionMetrics(runtime))

    def shown(name: str) -> float | None:
        return registry.get_sample_value(name, {"partition": "0"})

    async with running(runtime):
        await wait_until(lambda: shown("waybill_partition_lag") == 7, timeout_s=15, what="the lag")
        assert shown("waybill_partition_offset") is None
        del group.journal.errors[0]
        await wait_until(lambda: shown("waybill_partition_lag") == 0, timeout_s=15, what="no lag")
        assert shown("waybill_partition_offset") == 7
        assert registry.get_sample_value("waybill_partition_lag", {"partition": "1"}) == 0


async def test_after_a_restart_it_is_counted_from_what_was_committed(group: Group) -> None:
    await group.write(5, 0)
    async with running(group.runtime()):
        await group.all_committed()
    group.journal.gates[0] = asyncio.Event()
    await group.write(3, 0)
    runtime = group.runtime()
    async with running(runtime):
        await wait_until(lambda: runtime.lags.get(0) == 3, timeout_s=15, what="the lag")
        group.journal.gates[0].set()


async def test_the_marks_of_transactions_are_not_behind(group: Group) -> None:
    async with AIOKafkaProducer(**group.kafka.connection(), transactional_id=group.name) as producer:
        for abort in (False, True):
            await producer.begin_transaction()
            await producer.send_and_wait(group.topic, b"1", key=b"key", partition=0)
            await (producer.abort_transaction() if abort else producer.commit_transaction())
    runtime = group.runtime()
    async with running(runtime):
        await wait_until(lambda: len(group.journal.offsets[0]) == 1, timeout_s=15, what="the one committed")
        await wait_until(lambda: runtime.lags.get(0) == 0, timeout_s=15, what="no lag")
    runtime = group.runtime()
    async with running(runtime):
        await wait_until(lambda: runtime.lags.get(0) == 0, timeout_s=15, what="no lag after a restart")


async def test_a_transaction_that_stays_open_is_behind(group: Group) -> None:
    runtime = group.runtime()
    async with running(runtime):
        await wait_until(lambda: runtime.lags.get(0) == 0, timeout_s=15)
        async with AIOKafkaProducer(**group.kafka.connection(), transactional_id=group.name) as producer:
            await producer.begin_transaction()
            await producer.send_and_wait(group.topic, b"1", key=b"key", partition=0)
            await wait_until(lambda: runtime.lags.get(0) == 1, timeout_s=15, what="the lag")
            await producer.commit_transaction()
            await wait_until(lambda: runtime.lags.get(0) == 0, timeout_s=15, what="no lag")
