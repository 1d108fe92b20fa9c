"""A consumer group's offsets, moved back while nobody is in it."""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from domain.errors import StoreUnavailable, WaybillError
from messaging.log_reading import members_of
from messaging.settings import KafkaSettings


class Refused(WaybillError):
    """Somebody is in the group: nothing has been changed."""


async def rewind(
    settings: KafkaSettings, group: str, topic: str, applied: Mapping[int, int]
) -> dict[int, tuple[int, int]]:
    """Move the offsets of a group back to what has been applied; never forward.

    Args:
        settings: where Kafka is.
        group: must have no member.
        topic: of which all partitions are looked at.
        applied: the next offset of each partition; what is not named has applied nothing.

    Returns:
        Of each partition that was moved: its offset before and now.

    Raises:
        Refused: somebody is in the group.
        StoreUnavailable: Kafka cannot be reached, or does not know the group.
    """
    if members := await members_of(settings, group):
        raise Refused(f"{', '.join(members)} of {group} is alive: stop the processors first")
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.brokers, group_id=group, enable_auto_commit=False, auto_offset_reset="none"
    )
    try:
        await admin.start()
        await consumer.start()
        try:
            [described] = await admin.describe_topics([topic])
            numbers = sorted(each["partition"] for each in described["partitions"])
            return await _moved(
                consumer, {number: TopicPartition(topic, number) for number in numbers}, applied
            )
        finally:
            await consumer.stop()
            await admin.close()
    except (KafkaError, OSError) as error:
        raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error


async def _moved(
    consumer: AIOKafkaConsumer, partitions: Mapping[int, TopicPartition], applied: Mapping[int, int]
) -> dict[int, tuple[int, int]]:
    consumer.assign(list(partitions.values()))
    moved: dict[int, tuple[int, int]] = {}
    for number, partition in partitions.items():
        # Nothing committed means the beginning, which is as far back as can be.
        before, after = await consumer.committed(partition), applied.get(number, 0)
        if before is not None and after < before:
            moved[number] = (before, after)
    if moved:
        await consumer.commit({partitions[number]: after for number, (_, after) in moved.items()})
    return moved
