"""The consumer loop in trouble: what it stops, what it waits for, what it never does."""

import asyncio
import time

import pytest
from aiokafka import TopicPartition

from domain.errors import StoreUnavailable
from domain.processing.halts import Halt, Start
from messaging.consumer.consumer_settings import RuntimeSettings
from messaging.consumer.group import committing as committing_module
from messaging.consumer.group import watchdog as watchdog_module
from messaging.consumer.group.consumer_loop import RuntimeStopped
from messaging.consumer.partition import halting as halting_module
from messaging.consumer.runtime import PartitionRuntime
from messaging.settings import KafkaSettings
from tests.faults.matrix import Row
from tests.integration.messaging.consuming import Group, JournalHandler, running
from tests.support.builders import NOON
from tests.support.fault_table import Recovery
from tests.support.proxy import Proxy
from tests.support.topics import commit_offsets, forget_records
from tests.support.waiting import wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def group(kafka: KafkaSettings) -> Group:
    return Group(kafka)


@pytest.mark.fault(Row.RETENTION)
async def test_records_lost_to_retention_halt_their_partition_and_are_not_jumped(group: Group) -> None:
    await group.write(10, 0)
    async with running(group.runtime()):
        await group.all_committed()
    await group.write(20, 0)
    await forget_records(group.kafka, group.topic, below={0: 20})
    runtime = group.runtime()
    async with running(runtime):
        await wait_until(lambda: "halted" in runtime.problems.get(f"{group.topic}/0", ""), timeout_s=15)
        await group.write(30, 1)
        await wait_until(
            lambda: len(group.journal.offsets[1]) == 30, timeout_s=15, what="the other partition"
        )
        assert not runtime.is_ready
        assert "offset 10 is no longer in the log" in runtime.problems[f"{group.topic}/0"]
    assert group.journal.offsets[0] == list(range(10))
    assert (await group.committed())[0] == 10


@pytest.mark.fault(Row.RETENTION)
async def test_what_was_applied_may_be_lost_to_retention_whatever_the_group_has_committed(
    group: Group,
) -> None:
    await group.write(10, 0)
    async with running(group.runtime()):
        await group.all_committed()
    await commit_offsets(group.kafka, group.name, group.topic, {0: 3})
    await forget_records(group.kafka, group.topic, below={0: 8})
    runtime = group.runtime()
    async with running(runtime):
        await group.write(2, 0)
        await group.all_committed()
        assert runtime.halted == 0
    assert group.journal.offsets[0] == [*range(10), *range(8, 12)]


@pytest.mark.fault(Row.RETENTION)
async def test_an_accepted_gap_is_skipped_without_a_restart(
    group: Group, monkeypatch: pytest.MonkeyPatch, recovery: Recovery
) -> None:
    monkeypatch.setattr(halting_module, "ASK_AGAIN_S", 0.1)
    await group.write(10, 0)
    async with running(group.runtime()):
        await group.all_committed()
    await group.write(20, 0)
    await forget_records(group.kafka, group.topic, below={0: 20})
    runtime = group.runtime()
    async with running(runtime):
        await wait_until(lambda: runtime.halted == 1, timeout_s=15)
        with recovery.timed():
            group.journal.handlers[0].requested_start = Start.EARLIEST
            await group.all_committed()
            await wait_until(lambda: runtime.is_ready)
        assert runtime.halted == 0
        await group.write(5, 0)
        await group.all_committed()
    assert group.journal.offsets[0] == [*range(10), *range(20, 35)]


@pytest.mark.fault(Row.POISON_RUN)
async def test_a_partition_resumed_before_its_first_commit_is_read_from_its_beginning(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halting_module, "ASK_AGAIN_S", 0.1)
    group.journal.halts[0] = Halt("stopped under the owner before", NOON)
    await group.write(10, 0)
    await group.write(10, 1)
    runtime = group.runtime()
    async with running(runtime):
        await wait_until(
            lambda: len(group.journal.offsets[1]) == 10, timeout_s=15, what="the other partition"
        )
        await wait_until(lambda: runtime.halted == 1, timeout_s=15)
        assert not runtime.is_ready
        assert 0 not in await group.committed()
        group.journal.handlers[0].requested_start = Start.COMMITTED
        await group.all_committed()
    assert group.journal.offsets[0] == list(range(10))


@pytest.mark.fault(Row.RETENTION)
async def test_a_log_that_begins_above_zero_is_read_from_its_beginning_the_first_time(group: Group) -> None:
    await group.write(20, 0)
    await forget_records(group.kafka, group.topic, below={0: 15})
    async with running(group.runtime()):
        await group.all_committed()
    assert group.journal.offsets[0] == list(range(15, 20))


@pytest.mark.fault(Row.MONGO_AWAY)
async def test_a_partition_that_retries_does_not_hold_up_the_others(group: Group) -> None:
    group.journal.errors[0] = StoreUnavailable("MongoDB is away")
    await group.write(200, 0)
    await group.write(200, 1)
    runtime = group.runtime()
    async with running(runtime):
        await wait_until(lambda: len(group.journal.offsets[1]) == 200, timeout_s=15)
        assert runtime.problems == {f"{group.topic}/0": "retrying: MongoDB is away"}
        assert not runtime.is_ready
        assert 0 not in await group.committed()
        del group.journal.errors[0]
        await group.all_committed()
        await wait_until(lambda: runtime.is_ready)
    assert group.journal.offsets[0] == list(range(200))


@pytest.mark.fault(Row.NOTHING_MOVES)
async def test_a_loop_without_progress_gives_up(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog_module, "EVERY_S", 0.1)
    group.journal.gates[0] = asyncio.Event()
    await group.write(1, 0)
    with pytest.raises(RuntimeStopped, match="no progress"):
        await group.runtime(stalled_after_s=0.5, drain_s=0.2).run()


@pytest.mark.fault(Row.NOTHING_MOVES)
async def test_a_record_after_a_long_quiet_time_is_no_stall(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog_module, "EVERY_S", 0.005)
    async with running(group.runtime(stalled_after_s=1.5)) as task:
        for _ in range(2):
            stopped, _ = await asyncio.wait([task], timeout=1.7)
            assert not stopped, "nothing to do is no stall either"
            await group.write(3, 0)
        await group.all_committed()


async def test_a_handler_that_cannot_be_made_ends_the_loop(group: Group) -> None:
    def broken(_partition: TopicPartition) -> JournalHandler:
        raise ValueError("no handler")

    settings = RuntimeSettings(kafka=group.kafka, topic=group.topic, group=group.name, instance="a")
    with pytest.raises(RuntimeStopped, match="no handler"):
        await PartitionRuntime(settings, broken).run()


async def test_a_loop_that_waits_for_kafka_can_be_stopped(group: Group, kafka_proxy: Proxy) -> None:
    kafka_proxy.cut()
    runtime = group.runtime(brokers=kafka_proxy.address)
    started = time.monotonic()
    async with running(runtime):
        await wait_until(lambda: kafka_proxy.connections > 1, timeout_s=10)
        assert not runtime.is_ready
    assert time.monotonic() - started < 8


async def test_a_kafka_that_comes_late_is_waited_for(group: Group, kafka_proxy: Proxy) -> None:
    kafka_proxy.cut()
    await group.write(5, 0)
    async with running(group.runtime(brokers=kafka_proxy.address)):
        await wait_until(lambda: kafka_proxy.connections > 1, timeout_s=10)
        kafka_proxy.heal()
        await group.all_committed()
    assert group.journal.offsets[0] == list(range(5))


@pytest.mark.parametrize("fault", ["stall", "cut"])
async def test_a_kafka_that_goes_and_comes_back_loses_no_record(
    group: Group, kafka_proxy: Proxy, fault: str
) -> None:
    await group.write(100, 0)
    async with running(group.runtime(brokers=kafka_proxy.address)):
        await wait_until(lambda: group.journal.count > 0, timeout_s=10)
        kafka_proxy.stall() if fault == "stall" else kafka_proxy.cut()
        await group.write(100, 0)
        kafka_proxy.heal()
        await group.all_committed()
    assert sorted(set(group.journal.offsets[0])) == list(range(200))
    assert group.journal.offsets[0] == list(range(200)), "nothing was handed over, so nothing comes again"


async def test_the_loop_ends_even_if_kafka_does_not_respond(
    group: Group, kafka_proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committing_module, "RESPONSE_TIMEOUT_S", 0.5)
    await group.write(10, 0)
    runtime = group.runtime(brokers=kafka_proxy.address)
    task = asyncio.create_task(runtime.run())
    await wait_until(lambda: group.journal.count == 10, timeout_s=10)
    kafka_proxy.stall()
    started = time.monotonic()
    runtime.stop()
    await task
    assert time.monotonic() - started < 5
