"""Topics and their declared settings."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    GroupCoordinatorNotAvailableError,
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)

from messaging.settings import KafkaSettings

MAX_MESSAGE_BYTES: Final = 1024 * 1024
MAX_DEAD_LETTER_BYTES: Final = 2 * MAX_MESSAGE_BYTES
"""Limit of a dead letter: a record that fits into the log must fit, with its additional headers."""

_METADATA_TIMEOUT_S: Final = 10.0
_RETRY_S: Final = 0.05
_ANY_GROUP: Final = "waybill"


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics; a prefix keeps several Waybills on one Kafka apart."""

    prefix: str = ""

    @property
    def events(self) -> str:
        """Incoming commands."""
        return f"{self.prefix}shipments.events"

    @property
    def dead_letters(self) -> str:
        """Records that could not be applied, unchanged."""
        return f"{self.prefix}shipments.events.dlq"

    @property
    def changes(self) -> str:
        """Every applied change."""
        return f"{self.prefix}shipments.changes"

    @property
    def created(self) -> str:
        """Changes that created a shipment."""
        return f"{self.prefix}shipments.created"

    @property
    def delivered(self) -> str:
        """Changes that delivered a shipment."""
        return f"{self.prefix}shipments.delivered"

    @property
    def location(self) -> str:
        """Changes with the location of a shipment."""
        return f"{self.prefix}shipments.location"

    def all(self) -> tuple[str, ...]:
        """Every topic."""
        return (
            self.events,
            self.dead_letters,
            self.changes,
            self.created,
            self.delivered,
            self.location,
        )


class TopicsNotReady(Exception):
    """A topic could not be created, or has another number of partitions than was declared."""


async def ensure_topics(settings: KafkaSettings) -> None:
    """Create the topics that do not exist, and wait until brokers know them; safe to repeat.

    Raises:
        TopicsNotReady: Kafka refused, or the topic of all commands has another number of partitions: keys
            would be redistributed, and a shipment's events would lose their order.
        KafkaError: Kafka could not be reached.
    """
    admin = AIOKafkaAdminClient(**settings.connection(), request_timeout_ms=10_000)
    try:
        await admin.start()
        await _refuse_to_begin_again(admin, Topics(settings.topic_prefix).events)
        response = await admin.create_topics(
            [declaration(name, settings) for name in Topics(settings.topic_prefix).all()]
        )
        for name, code, *_ in response.topic_errors:
            error = for_code(code)
            if code != 0 and error is not TopicAlreadyExistsError:
                raise TopicsNotReady(f"topic {name} was not created: {error.__name__}")
        events = Topics(settings.topic_prefix).events
        problem = mismatch(events, (await _partition_counts(admin, settings))[events], settings)
        if problem is not None:
            raise TopicsNotReady(problem)
        await _await_coordinator(admin)
    finally:
        await admin.close()


async def _refuse_to_begin_again(admin: AIOKafkaAdminClient, events: str) -> None:
    """Reject a log without its first topic: a new one would be open, while the log goes on in another."""
    known = await admin.list_topics()
    later = [name for name in known if re.fullmatch(rf"{re.escape(events)}-[0-9]+", name)]
    if later and events not in known:
        raise TopicsNotReady(
            f"topic {events} is gone, though the log goes on in {', '.join(sorted(later))}: create it with "
            'max.message.bytes=100 before anything starts (docs/runbook.md, "More partitions are needed")'
        )


async def _await_coordinator(admin: AIOKafkaAdminClient) -> None:
    """Wait until groups have a coordinator: the first request is refused, and makes Kafka create its topic.

    Without the right to request it, the first consumer does, which retries by itself but logs errors.
    """
    with suppress(TimeoutError, KafkaError):
        async with asyncio.timeout(_METADATA_TIMEOUT_S):
            while True:
                with suppress(GroupCoordinatorNotAvailableError, CoordinatorLoadInProgressError):
                    await admin.find_coordinator(_ANY_GROUP)
                    return
                await asyncio.sleep(_RETRY_S)


def mismatch(topic: str, count: int, settings: KafkaSettings) -> str | None:
    """Return the problem of a command topic with `count` partitions, and its solution; None: it is right."""
    declared = settings.partitions
    if count == declared:
        return None
    problem = (
        f"topic {topic} has {count} partitions, not {declared}: each shipment's events would lose their order"
    )
    if count < declared:
        return f"{problem}. If it has always had {count}, set KAFKA_PARTITIONS={count} for every service"
    return (
        f"{problem}, and Kafka takes none away. Stop ingest-api, set KAFKA_PARTITIONS={count} for every "
        "service, start the processors, replay the dead letters that appear, then start ingest-api "
        '(docs/runbook.md, "Partitions were added")'
    )


async def _partition_counts(admin: AIOKafkaAdminClient, settings: KafkaSettings) -> dict[str, int]:
    """Return the partition count of each topic, once all are known: brokers learn of new ones later."""
    names = list(Topics(settings.topic_prefix).all())
    counts: dict[str, int] = {}
    try:
        async with asyncio.timeout(_METADATA_TIMEOUT_S):
            while not (counts and all(counts.values())):
                await asyncio.sleep(_RETRY_S if counts else 0)
                counts = {
                    topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(names)
                }
    except TimeoutError:
        unknown = [name for name in names if not counts.get(name)]
        raise TopicsNotReady(f"the brokers do not know {', '.join(unknown)} yet") from None
    return counts


def declaration(name: str, settings: KafkaSettings) -> NewTopic:
    """Return the declared settings of a topic."""
    is_dead_letters = name == Topics(settings.topic_prefix).dead_letters
    return NewTopic(
        name=name,
        num_partitions=settings.partitions,
        replication_factor=settings.replication_factor,
        topic_configs={
            "cleanup.policy": "delete",
            "compression.type": "producer",
            "max.message.bytes": str(MAX_DEAD_LETTER_BYTES if is_dead_letters else MAX_MESSAGE_BYTES),
            # The broker's clock, not the producer's: it would reject records stamped an hour ahead.
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": str(settings.min_insync_replicas),
            "retention.ms": str(settings.retention_hours * 3_600_000),
            "unclean.leader.election.enable": "false",
        },
    )
