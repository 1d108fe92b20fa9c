"""The topic is deleted and created again under a running loop, or has another number of partitions."""

import asyncio

import pytest
from aiokafka.admin import NewPartitions

from domain.errors import TransientError
from messaging import topic_watch
from messaging.consumer.group.consumer_loop import RuntimeStopped
from messaging.health import KafkaProbe
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.settings import KafkaSettings
from messaging.topic_watch import TopicWatch
from messaging.topics import TopicsNotReady, declaration, ensure_topics
from tests.faults.matrix import Row
from tests.integration.messaging.consuming import Group, running
from tests.support.fault_table import Recovery
from tests.support.topics import admin_of, read_topic
from tests.support.waiting import wait_for, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.TOPIC_RECREATED)]

HEALED_WITHIN_S = 40.0


@pytest.fixture
def group(kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> Group:
    monkeypatch.setattr(topic_watch, "EVERY_S", 0.3)
    monkeypatch.setattr(topic_watch, "REJOIN_EVERY_S", 3.0)
    return Group(kafka, seat="seat")


async def delete(group: Group) -> None:
    async with admin_of(group.kafka) as admin:
        await admin.delete_topics([group.topic])


async def create(group: Group, *, partitions: int | None = None) -> None:
    kafka = group.kafka if partitions is None else group.kafka.model_copy(update={"partitions": partitions})
    async with admin_of(group.kafka) as admin:

        async def created() -> bool:
            answer = await admin.create_topics([declaration(group.topic, kafka)])
            return all(code == 0 for _, code, *_ in answer.topic_errors)

        await wait_for(created, timeout_s=10, what="the topic")


@pytest.mark.timeout(120)
async def test_a_topic_that_was_away_is_read_once_it_is_there_again(group: Group, recovery: Recovery) -> None:
    await group.write(5, 0)
    runtime = group.runtime()
    async with running(runtime):
        await group.all_committed()
        await delete(group)
        await wait_until(lambda: not runtime.is_ready, timeout_s=20, what="not ready")
        await wait_until(lambda: runtime.lags == {}, timeout_s=60, what="no lag to be known")
        await create(group)
        with recovery.timed():
            await group.write(3, 0)
            await group.write(3, 1)
            await wait_until(
                lambda: group.journal.count == 11, timeout_s=HEALED_WITHIN_S, what="the new topic's records"
            )
            await wait_until(lambda: runtime.is_ready, timeout_s=HEALED_WITHIN_S, what="ready again")


@pytest.mark.timeout(120)
async def test_a_topic_that_lacks_partitions_takes_nothing_until_it_has_them(group: Group) -> None:
    await delete(group)
    await create(group, partitions=1)
    producer, probe = ResilientProducer(group.kafka), KafkaProbe(group.kafka)
    wanted = group.kafka.partitions

    async def refusal() -> str | None:
        try:
            await producer.append(group.topic, [OutgoingRecord(b"key", b"value", [])])
        except TransientError as error:
            return str(error)
        return None

    async def is_refused() -> bool:
        return f"has 1 partitions, not {wanted}" in (await refusal() or "")

    async def is_taken() -> bool:
        return await refusal() is None

    async with producer.running():
        await wait_for(is_refused, timeout_s=20, what="refusal")
        assert f"has 1 partitions, not {wanted}" in (await probe.obstacle(group.topic) or "")
        async with admin_of(group.kafka) as admin:
            await admin.create_partitions({group.topic: NewPartitions(total_count=wanted)})
        await wait_for(is_taken, timeout_s=HEALED_WITHIN_S, what="a record that is taken")
        assert await probe.obstacle(group.topic) is None
    await probe.stop()


@pytest.mark.timeout(120)
async def test_an_empty_assignment_of_a_member_with_a_name_does_not_outlive_a_restart(group: Group) -> None:
    async with running(group.runtime()):
        await wait_for(lambda: _has_members(group), timeout_s=20, what="the group")
        await delete(group)
        await asyncio.sleep(12)  # until aiokafka has seen it: it asks every ten seconds
    await create(group)
    await group.write(3, 0)
    runtime = group.runtime()
    async with running(runtime):
        await wait_until(
            lambda: group.journal.count == 3, timeout_s=HEALED_WITHIN_S, what="the new topic's records"
        )
        await wait_until(lambda: runtime.is_ready, timeout_s=HEALED_WITHIN_S, what="ready again")


async def _has_members(group: Group) -> bool:
    return bool(group.journal.opened)


@pytest.mark.timeout(120)
async def test_a_topic_recreated_at_once_is_read_from_its_beginning(group: Group) -> None:
    await group.write(5, 0)
    runtime = group.runtime()
    async with running(runtime):
        await group.all_committed()
        await delete(group)
        await create(group)
        await group.write(9, 0)  # more than were read of the one before: no offset is out of range
        await wait_until(
            lambda: set(range(9)) <= set(group.journal.offsets[0][5:]),
            timeout_s=HEALED_WITHIN_S,
            what="all of the new topic",
        )


async def test_another_topic_of_the_name_is_noticed_whatever_its_offsets(group: Group) -> None:
    watch = TopicWatch(group.kafka, group.topic, group.name)
    assert await watch.first_problem() is None
    noticed = asyncio.Event()
    task = asyncio.create_task(
        watch.run(holds_any=lambda: True, changed=noticed.set, rejoin=lambda: None), name="watch"
    )
    try:
        await delete(group)
        await create(group)
        await asyncio.wait_for(noticed.wait(), 10)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_producer_continues_with_the_new_topic(group: Group) -> None:
    producer = ResilientProducer(group.kafka)
    async with producer.running():
        await wait_until(lambda: producer.is_started, timeout_s=10)
        for index in range(3):
            await producer.append(group.topic, [OutgoingRecord(b"key", b"old", [])])
            if index == 2:
                await delete(group)
                await create(group)

        async def appended() -> bool:
            try:
                await producer.append(group.topic, [OutgoingRecord(b"key", b"new", [])])
            except TransientError:
                return False  # as its caller hears by 503, and repeats
            # The broker may still have appended to the log that it was told to delete.
            return {record.value for record in await read_topic(group.kafka, group.topic)} == {b"new"}

        await wait_for(appended, timeout_s=20, what="the new topic to take records")


async def test_partitions_that_somebody_added_are_refused_with_the_way_out(group: Group) -> None:
    producer = ResilientProducer(group.kafka)
    async with admin_of(group.kafka) as admin:
        await admin.create_partitions({group.topic: NewPartitions(total_count=5)})

        async def is_known() -> bool:
            [topic] = await admin.describe_topics([group.topic])
            return len(topic["partitions"]) == 5

        await wait_for(is_known)
    with pytest.raises(RuntimeStopped, match=r"5 partitions, not 2.*set KAFKA_PARTITIONS=5"):
        await group.runtime().run()
    with pytest.raises(TopicsNotReady, match=r"5 partitions, not 2.*set KAFKA_PARTITIONS=5"):
        await ensure_topics(group.kafka)
    async with producer.running():
        await wait_until(lambda: producer.is_started, timeout_s=10)
        await producer.append(group.topic, [OutgoingRecord(b"%d" % each, b"", []) for each in range(20)])
    settled = group.kafka.model_copy(update={"partitions": 5})
    assert {record.partition for record in await read_topic(settled, group.topic)} == {0, 1}
    await ensure_topics(settled)


async def test_partitions_that_are_added_under_a_running_loop_make_it_unready_and_stop_nothing(
    group: Group,
) -> None:
    runtime = group.runtime()
    async with running(runtime):
        await wait_until(lambda: runtime.is_ready, timeout_s=10)
        async with admin_of(group.kafka) as admin:
            await admin.create_partitions({group.topic: NewPartitions(total_count=3)})
        await wait_until(lambda: not runtime.is_ready, timeout_s=10)
        assert "3 partitions, not 2" in runtime.problems[group.topic]
        await group.write(4, 0)
        await wait_until(lambda: group.journal.count == 4, timeout_s=30, what="the old partitions' records")
