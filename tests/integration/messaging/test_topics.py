"""Topics on a real Kafka: created once, never changed behind anybody's back."""

import pytest
from aiokafka.admin import NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from messaging.health import KafkaProbe
from messaging.settings import KafkaSettings
from messaging.topics import MAX_MESSAGE_BYTES, Topics, TopicsNotReady, declaration, ensure_topics
from tests.support.proxy import Proxy
from tests.support.topics import admin_of, end_offsets, write_values
from tests.support.waiting import wait_for

pytestmark = pytest.mark.stack


async def test_creating_the_topics_again_changes_nothing(kafka: KafkaSettings) -> None:
    events = Topics(kafka.topic_prefix).events
    await write_values(kafka, events, [(b"key", b"value")], partition=1)
    await ensure_topics(kafka)
    assert await end_offsets(kafka, events) == {0: 0, 1: 1}


async def test_every_topic_has_the_declared_partitions(kafka: KafkaSettings) -> None:
    names = Topics(kafka.topic_prefix).all()
    async with admin_of(kafka) as admin:
        described = await admin.describe_topics(list(names))
    assert {topic["topic"]: len(topic["partitions"]) for topic in described} == dict.fromkeys(names, 2)


async def test_another_number_of_partitions_is_refused(kafka: KafkaSettings) -> None:
    with pytest.raises(TopicsNotReady, match="2 partitions, not 3"):
        await ensure_topics(kafka.model_copy(update={"partitions": 3}))


async def test_partitions_that_somebody_added_are_noticed(kafka: KafkaSettings) -> None:
    events = Topics(kafka.topic_prefix).events
    async with admin_of(kafka) as admin:
        await admin.create_partitions({events: NewPartitions(total_count=5)})

        async def is_known() -> bool:
            [topic] = await admin.describe_topics([events])
            return len(topic["partitions"]) == 5

        await wait_for(is_known)
    with pytest.raises(TopicsNotReady, match="5 partitions, not 2"):
        await ensure_topics(kafka)


async def test_a_refusal_of_kafka_is_reported(kafka: KafkaSettings) -> None:
    impossible = kafka.model_copy(update={"topic_prefix": f"{kafka.topic_prefix}x-", "replication_factor": 3})
    with pytest.raises(TopicsNotReady, match="was not created"):
        await ensure_topics(impossible)


async def test_a_topic_loses_no_acknowledged_record_and_no_order(kafka: KafkaSettings) -> None:
    name = Topics(kafka.topic_prefix).events
    async with admin_of(kafka) as admin:
        [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    configured = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    declared = {
        "cleanup.policy": "delete",
        "compression.type": "producer",
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "1",
        "retention.ms": str(168 * 3_600_000),
        "unclean.leader.election.enable": "false",
    }
    assert {key: configured[key] for key in declared} == declared


async def test_the_topics_are_known_to_the_brokers_once_they_are_ensured(kafka: KafkaSettings) -> None:
    for attempt in range(3):
        new = kafka.model_copy(update={"topic_prefix": f"{kafka.topic_prefix}{attempt}-"})
        await ensure_topics(new)
        names = list(Topics(new.topic_prefix).all())
        async with admin_of(new) as admin:
            described = await admin.describe_topics(names)
            await admin.delete_topics(names)
        assert [topic["error_code"] for topic in described] == [0] * len(names)


async def test_the_probe_distinguishes_a_responsive_kafka_from_an_unresponsive_one(
    proxied_kafka: KafkaSettings, kafka_proxy: Proxy
) -> None:
    probe = KafkaProbe(proxied_kafka)
    try:
        assert await probe.ping()
        kafka_proxy.cut()
        assert not await probe.ping()
        kafka_proxy.heal()
        assert await probe.ping()
        kafka_proxy.stall()
        assert not await probe.ping()
    finally:
        kafka_proxy.heal()
        await probe.stop()


async def test_a_log_that_goes_on_elsewhere_does_not_begin_again(kafka: KafkaSettings) -> None:
    events = Topics(kafka.topic_prefix).events
    async with admin_of(kafka) as admin:
        await admin.create_topics([declaration(f"{events}-5", kafka)])
        await ensure_topics(kafka)
        await admin.delete_topics([events])

        async def is_gone() -> bool:
            return events not in await admin.list_topics()

        await wait_for(is_gone)
    with pytest.raises(TopicsNotReady, match="is gone, though the log goes on in"):
        await ensure_topics(kafka)
