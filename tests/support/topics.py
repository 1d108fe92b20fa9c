"""Contents of Kafka, read and written without the code under test."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.structs import ConsumerRecord

from domain.shipments.commands import Command
from messaging import codec
from messaging.log.partitioning import partition_of
from messaging.settings import KafkaSettings


@asynccontextmanager
async def admin_of(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Give an admin client."""
    admin = AIOKafkaAdminClient(**settings.connection())
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def _reader_of(settings: KafkaSettings, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    async with AIOKafkaConsumer(
        **settings.connection(), auto_offset_reset="earliest", isolation_level="read_committed"
    ) as consumer:
        consumer.assign([TopicPartition(topic, partition) for partition in range(settings.partitions)])
        yield consumer


async def read_topic(settings: KafkaSettings, topic: str) -> list[ConsumerRecord]:
    """Return the current records of a topic: partition by partition, each in the order of its offsets."""
    async with _reader_of(settings, topic) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        records: list[ConsumerRecord] = []
        for partition, end in ends.items():
            while await consumer.position(partition) < end:
                arrived = (await consumer.getmany(partition, timeout_ms=1000)).get(partition, [])
                records += arrived
                if not arrived:  # a topic that was deleted and created meanwhile ends earlier
                    end = (await consumer.end_offsets([partition]))[partition]  # noqa: PLW2901
    return sorted(records, key=lambda record: (record.partition, record.offset))


async def end_offsets(settings: KafkaSettings, topic: str) -> dict[int, int]:
    """Return the end of each partition."""
    async with _reader_of(settings, topic) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
    return {partition.partition: end for partition, end in ends.items()}


async def committed_offsets(settings: KafkaSettings, group: str, topic: str) -> dict[int, int]:
    """Return the committed offsets of a group, by partition."""
    async with admin_of(settings) as admin:
        try:
            committed = await admin.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:
            return {}  # the first group of all: its topic is being made
    return {
        each.partition: at.offset for each, at in committed.items() if each.topic == topic and at.offset >= 0
    }


async def commit_offsets(settings: KafkaSettings, group: str, topic: str, offsets: dict[int, int]) -> None:
    """Commit for a group without members, as an operator resets it."""
    async with AIOKafkaConsumer(
        **settings.connection(), group_id=group, enable_auto_commit=False
    ) as consumer:
        places = {TopicPartition(topic, partition): offset for partition, offset in offsets.items()}
        consumer.assign(list(places))
        await consumer.commit(places)


async def is_caught_up(settings: KafkaSettings, group: str, topic: str) -> bool:
    """Return whether a group has committed a whole topic."""
    ends = {partition: end for partition, end in (await end_offsets(settings, topic)).items() if end}
    committed = await committed_offsets(settings, group, topic)
    return all(committed.get(partition) == end for partition, end in ends.items())


async def forget_records(settings: KafkaSettings, topic: str, *, below: dict[int, int]) -> None:
    """Delete the records below these offsets, as retention does."""
    async with admin_of(settings) as admin:
        await admin.delete_records(
            {TopicPartition(topic, each): RecordsToDelete(offset) for each, offset in below.items()}
        )


async def write_values(
    settings: KafkaSettings,
    topic: str,
    values: Sequence[tuple[bytes | None, bytes | None]],
    partition: int | None = None,
) -> None:
    """Append raw keys and values, one after the other."""
    async with AIOKafkaProducer(
        **settings.connection(),
        acks="all",
        max_request_size=64 * 1024 * 1024,
        compression_type="lz4",
    ) as producer:
        for key, value in values:
            await producer.send_and_wait(topic, value, key=key, partition=partition)


async def write_commands(
    settings: KafkaSettings, topic: str, *commands: Command, reply_to: str | None = None
) -> None:
    """Append commands to the partitions that ingest-api would choose."""
    waiting = [] if reply_to is None else [(codec.REPLY_TO, reply_to.encode())]
    async with AIOKafkaProducer(**settings.connection(), acks="all", linger_ms=5) as producer:
        sent = [
            await producer.send(
                topic,
                codec.encode(command),
                key=(key := command.tracking_number.encode()),
                partition=partition_of(key, settings.partitions),
                headers=[codec.CONTENT_TYPE_HEADER, *waiting],
            )
            for command in commands
        ]
        for each in sent:
            await each
