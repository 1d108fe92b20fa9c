"""The producer on a real Kafka: order, large batches, and errors when Kafka does not respond."""

import asyncio
import time
from random import Random

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from domain.errors import NotPublished, PublishUnknown, TransientError
from messaging.codec import decode
from messaging.dead_letters.records import DeadLetter, KafkaDeadLetters
from messaging.log.growth import log_growth
from messaging.log.partitioning import partition_of
from messaging.producer.command_log import KafkaCommandLog
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.settings import KafkaSettings
from messaging.topics import MAX_MESSAGE_BYTES, Topics, declaration
from tests.faults.matrix import Row
from tests.support.builders import ROUTE, creation, number, report
from tests.support.producing import producer_on
from tests.support.proxy import Proxy
from tests.support.records import LogRecord
from tests.support.topics import admin_of, read_topic, write_values
from tests.support.waiting import wait_for, wait_until

pytestmark = pytest.mark.stack


def outgoing(count: int, *, size: int = 10, first: int = 0) -> list[OutgoingRecord]:
    """Return records of a few keys, numbered, `size` bytes each."""
    return [
        OutgoingRecord(b"key-%d" % (index % 7), b"%08d" % index + b"x" * (size - 8), [])
        for index in range(first, first + count)
    ]


async def numbers_in(kafka: KafkaSettings, topic: str) -> dict[bytes, list[int]]:
    """Return what stands in a topic: the numbers of each key in their order."""
    found: dict[bytes, list[int]] = {}
    for record in await read_topic(kafka, topic):
        found.setdefault(record.key, []).append(int(record.value[:8]))
    return found


def numbers_of(count: int) -> dict[bytes, list[int]]:
    return {b"key-%d" % key: list(range(key, count, 7)) for key in range(min(7, count))}


async def test_a_batch_keeps_the_order_of_each_key_across_partitions(kafka: KafkaSettings) -> None:
    topic = Topics(kafka.topic_prefix).events
    async with producer_on(kafka) as producer:
        for first in range(0, 500, 100):
            await producer.append(topic, outgoing(100, first=first))
    assert await numbers_in(kafka, topic) == numbers_of(500)


@pytest.mark.race
async def test_many_callers_of_one_shipment_all_get_their_turn(kafka: KafkaSettings) -> None:
    topic = Topics(kafka.topic_prefix).events
    batch = [OutgoingRecord(b"one-key", b"%08d" % index, []) for index in range(20)]
    async with producer_on(kafka) as producer:
        await asyncio.gather(*(producer.append(topic, batch) for _ in range(200)))
    assert sum(len(numbers) for numbers in (await numbers_in(kafka, topic)).values()) == 200 * 20


async def test_a_record_is_in_the_partition_that_kafkas_own_partitioner_chooses(kafka: KafkaSettings) -> None:
    topic = Topics(kafka.topic_prefix).events
    async with producer_on(kafka) as producer:
        await producer.append(topic, outgoing(1))
        await producer.append(topic, outgoing(20, first=1))
    for record in await read_topic(kafka, topic):
        assert record.partition == partition_of(record.key, kafka.partitions)


async def test_a_batch_larger_than_a_record_batch_is_split_and_stays_in_order(kafka: KafkaSettings) -> None:
    topic = Topics(kafka.topic_prefix).events
    small = kafka.model_copy(update={"max_batch_bytes": 4096, "compression": None})
    async with producer_on(small) as producer:
        await producer.append(topic, outgoing(300, size=100))
    assert await numbers_in(kafka, topic) == numbers_of(300)


@pytest.mark.race
async def test_single_records_of_many_callers_are_all_acknowledged(kafka: KafkaSettings) -> None:
    topic = Topics(kafka.topic_prefix).events
    async with producer_on(kafka) as producer:
        await asyncio.gather(*(producer.append(topic, [record]) for record in outgoing(200)))
    found = await numbers_in(kafka, topic)
    assert sorted(index for indexes in found.values() for index in indexes) == list(range(200))


async def test_records_for_several_topics_are_appended_at_once(kafka: KafkaSettings) -> None:
    topics = Topics(kafka.topic_prefix)
    async with producer_on(kafka) as producer:
        await producer.append_all({topics.changes: outgoing(9), topics.created: outgoing(1)})
    assert await numbers_in(kafka, topics.changes) == numbers_of(9)
    assert await numbers_in(kafka, topics.created) == numbers_of(1)


async def test_commands_are_in_the_log_in_the_order_given(kafka: KafkaSettings) -> None:
    topics = Topics(kafka.topic_prefix)
    numbers = [number(index) for index in range(10)]
    commands = [creation(each) for each in numbers]
    reports = [report(status, each) for status in ROUTE for each in numbers]
    async with producer_on(kafka) as producer:
        await KafkaCommandLog(producer, topics, max_in_flight=1000).append([*commands, *reports])
    stands = [decode(record.value).command for record in await read_topic(kafka, topics.events)]
    for each in numbers:
        mine = [command for command in stands if command.tracking_number == each]
        assert mine == [creation(each), *(report(status, each) for status in ROUTE)]


@pytest.mark.parametrize("count", [1, 20])
async def test_an_unresponsive_kafka_leaves_the_outcome_unknown_within_the_deadline(
    kafka: KafkaSettings, proxied_kafka: KafkaSettings, kafka_proxy: Proxy, count: int
) -> None:
    topic = Topics(kafka.topic_prefix).events
    async with producer_on(proxied_kafka) as producer:
        await producer.append(topic, outgoing(1))
        kafka_proxy.stall()
        started = time.monotonic()
        with pytest.raises(PublishUnknown):
            await producer.append(topic, outgoing(count, first=1))
        assert time.monotonic() - started < 2 * proxied_kafka.publish_timeout_s
        kafka_proxy.heal()
        await wait_for_append(producer, topic, OutgoingRecord(b"key-0", b"99999999", []))
    found = await numbers_in(kafka, topic)
    given_up = [index for indexes in found.values() for index in indexes if 0 < index <= count]
    assert sorted(given_up) == list(range(1, count + 1)), "given up, delivered later, and once"


async def wait_for_append(producer: ResilientProducer, topic: str, record: OutgoingRecord) -> None:
    """Append a record, as often as it takes."""

    async def try_it() -> bool:
        try:
            await producer.append(topic, [record])
        except TransientError:
            return False
        return True

    await wait_for(try_it, timeout_s=20, what="an append that goes through")


@pytest.mark.race
async def test_an_acknowledgement_that_is_lost_leaves_one_record(
    kafka: KafkaSettings, proxied_kafka: KafkaSettings, kafka_proxy: Proxy
) -> None:
    topic = Topics(kafka.topic_prefix).events
    async with producer_on(proxied_kafka) as producer:
        await wait_for_append(producer, topic, *outgoing(1))
        kafka_proxy.stall(answers_only=True)
        with pytest.raises(PublishUnknown):
            await producer.append(topic, outgoing(1, first=7))
        kafka_proxy.cut()
        kafka_proxy.heal()
        await wait_for_append(producer, topic, OutgoingRecord(b"key-0", b"%08d" % 14, []))
    numbers = (await numbers_in(kafka, topic))[b"key-0"]
    assert numbers.count(7) == 1
    assert list(dict.fromkeys(numbers)) == [0, 7, 14], "the others may have been sent more than once, by us"


async def test_a_kafka_that_comes_back_is_used_again_without_a_restart(
    kafka: KafkaSettings, proxied_kafka: KafkaSettings, kafka_proxy: Proxy
) -> None:
    topic = Topics(kafka.topic_prefix).events
    async with producer_on(proxied_kafka) as producer:
        await producer.append(topic, outgoing(1))
        kafka_proxy.cut()
        with pytest.raises((NotPublished, PublishUnknown)):
            await producer.append(topic, outgoing(5, first=1))
        kafka_proxy.heal()
        await wait_for_append(producer, topic, OutgoingRecord(b"key-0", b"00000007", []))


async def test_a_kafka_that_is_not_there_yet_is_waited_for(
    kafka: KafkaSettings, proxied_kafka: KafkaSettings, kafka_proxy: Proxy
) -> None:
    kafka_proxy.cut()
    producer = ResilientProducer(proxied_kafka)
    async with producer.running():
        await wait_until(lambda: kafka_proxy.connections > 1)
        with pytest.raises(NotPublished):
            await producer.append(Topics(kafka.topic_prefix).events, outgoing(1))
        kafka_proxy.heal()
        await wait_until(lambda: producer.is_started, timeout_s=10)
        await producer.append(Topics(kafka.topic_prefix).events, outgoing(1))


async def test_shutdown_does_not_wait_for_an_unresponsive_kafka(
    kafka: KafkaSettings, proxied_kafka: KafkaSettings, kafka_proxy: Proxy
) -> None:
    async with producer_on(proxied_kafka) as producer:
        kafka_proxy.stall()
        with pytest.raises(TransientError):
            await producer.append(Topics(kafka.topic_prefix).events, outgoing(1))
        started = time.monotonic()
    assert time.monotonic() - started < 5


@pytest.mark.fault(Row.PRODUCER_BROKEN)
async def test_a_broken_producer_is_replaced(kafka: KafkaSettings) -> None:
    topic = Topics(kafka.topic_prefix).events
    async with producer_on(kafka) as producer:
        await producer.append(topic, outgoing(1))
        broken = producer._producer  # noqa: SLF001  # what the broker would break, the test must
        assert broken is not None
        await broken.stop()
        with pytest.raises(NotPublished, match="ProducerClosed"):
            await producer.append(topic, outgoing(1, first=1))
        await wait_until(lambda: producer.is_started, timeout_s=10)
        await producer.append(topic, outgoing(1, first=1))
    assert await numbers_in(kafka, topic) == numbers_of(2)


@pytest.mark.fault(Row.PRODUCER_BROKEN)
async def test_a_sequence_with_a_gap_is_left_to_another_producer(kafka: KafkaSettings) -> None:
    """A batch that the broker refuses for good was counted by aiokafka: it then refuses all after it, too."""
    topic = Topics(kafka.topic_prefix).events
    configs = {**declaration(topic, kafka).topic_configs, "max.message.bytes": "300"}
    async with admin_of(kafka) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=configs)])
    large = OutgoingRecord(b"key", Random(1).randbytes(2000), [])  # noqa: S311  # what does not compress
    first, small = OutgoingRecord(b"key", b"first", []), OutgoingRecord(b"key", b"small", [])
    async with producer_on(kafka) as producer:
        await producer.append(topic, [first])  # a broker that knows nothing of a producer takes any number
        await wait_for(lambda: _is_too_large(producer, topic, large), what="the topic's new bound")
        with pytest.raises(PublishUnknown, match="OutOfOrderSequenceNumber"):
            await producer.append(topic, [small])
        await wait_until(lambda: producer.is_started, timeout_s=10)
        await producer.append(topic, [small])
    values = [record.value for record in await read_topic(kafka, topic)]
    assert values.count(small.value) == 1


async def _is_too_large(producer: ResilientProducer, topic: str, record: OutgoingRecord) -> bool:
    try:
        await producer.append(topic, [record])
    except NotPublished as error:
        return "too large" in str(error)
    return False


async def test_a_topic_that_nobody_made_takes_nothing(kafka: KafkaSettings) -> None:
    settings = kafka.model_copy(update={"publish_timeout_s": 0.4})
    async with producer_on(settings) as producer:
        for count in (1, 3):
            with pytest.raises(NotPublished):
                await producer.append(f"{kafka.topic_prefix}nobody", outgoing(count))


@pytest.mark.parametrize(
    "value",
    [b"\0" * (8 * MAX_MESSAGE_BYTES), Random(1).randbytes(MAX_MESSAGE_BYTES - 300)],  # noqa: S311  # no secret
    ids=["compressed", "not"],
)
async def test_every_record_that_fits_into_the_log_fits_into_the_dead_letters(
    kafka: KafkaSettings, value: bytes
) -> None:
    topics = Topics(kafka.topic_prefix)
    await write_values(kafka, topics.events, [(b"key", value)])
    dead_letter = DeadLetter(LogRecord(0, value), "unreadable", "huge", 1)
    async with producer_on(kafka) as producer:
        await KafkaDeadLetters(producer, topics).publish(dead_letter)
    [kept] = await read_topic(kafka, topics.dead_letters)
    assert kept.value == value


async def test_a_record_that_is_too_large_closes_no_partition(kafka: KafkaSettings) -> None:
    topic = Topics(kafka.topic_prefix).events
    async with log_growth(kafka) as growth, producer_on(kafka) as producer:
        large = OutgoingRecord(b"key", Random(1).randbytes(3 * MAX_MESSAGE_BYTES // 2), [])  # noqa: S311  # not compressible
        await growth.begin(kafka.partitions + 1)  # there is a next topic, and this one is open
        with pytest.raises(NotPublished, match="too large"):
            await producer.append(topic, [large])
        await producer.append(topic, [OutgoingRecord(b"key", b"value", [])])
    assert [record.value for record in await read_topic(kafka, topic)] == [b"value"]
