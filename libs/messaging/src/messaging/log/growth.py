"""Growth of the log: a topic with more partitions, and the closing of those before it (ADR 0037).

Each step may be repeated, so a growth that was interrupted is completed by another one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, TopicAlreadyExistsError, for_code

from domain.errors import StoreUnavailable, WaybillError
from messaging.log.control_records import CLOSED_BYTES, end_marker, is_end_marker, probe
from messaging.log.generations import Generation, generations_among, later_generation
from messaging.settings import KafkaSettings
from messaging.topic_ids import TopicRequest, state_in
from messaging.topics import declaration

LIMIT: Final = "max.message.bytes"
_SET_ON_TOPIC: Final = 1
_RETRY_S: Final = 0.05
_STEP_TIMEOUT_S: Final = 60.0
_READ_TIMEOUT_S: Final = 10.0

_log = structlog.get_logger(__name__)


class GrowthRefused(WaybillError):
    """The log cannot have that number of partitions; nothing was changed."""


class LogGrowth:
    """Gives the log more partitions, while events are accepted and applied."""

    def __init__(self, settings: KafkaSettings, client: AIOKafkaClient, admin: AIOKafkaAdminClient) -> None:
        self._settings = settings
        self._client = client
        self._admin = admin

    async def generations(self) -> list[Generation]:
        """Return the generations of the log."""
        return generations_among((await self._client.fetch_all_metadata()).topics(), self._settings)

    async def is_closed(self, generation: Generation) -> bool:
        """Say whether a generation is to take no commands: its brokers may not all know yet."""
        return (await self._settings_of(generation.topic)).get(LIMIT) == str(CLOSED_BYTES)

    def target(self, partitions: int) -> Generation:
        """Return the generation with a number of partitions."""
        return later_generation(self._settings, partitions)

    async def begin(self, partitions: int) -> None:
        """Create the topic with a number of partitions, to be taken over before commands go to it.

        Raises:
            GrowthRefused: the log has as many already, or more.
            StoreUnavailable: Kafka did not do a step in time; repeat it.
        """
        last = (await self.generations())[-1]
        if partitions < last.partitions or (partitions == last.partitions and last.is_first):
            raise GrowthRefused(f"the log has {last.partitions} partitions already; it only grows")
        await self._create(self.target(partitions))

    async def finish(self, partitions: int) -> list[Generation]:
        """Close the topics before the one with a number of partitions; return all, that one last.

        Raises:
            StoreUnavailable: Kafka did not do a step in time; repeat it.
        """
        generations = [each for each in await self.generations() if each.partitions <= partitions]
        for generation, following in pairwise(generations):
            await self._close(generation)
            await self._mark(generation, following)
        return generations

    async def _create(self, generation: Generation) -> None:
        """Create a topic; return when every broker knows it: a producer may ask any of them."""
        settings = self._settings.model_copy(update={"partitions": generation.partitions})
        response = await self._admin.create_topics([declaration(generation.topic, settings)])
        for name, code, *_ in response.topic_errors:
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise StoreUnavailable(f"topic {name} was not created: {for_code(code).__name__}")
        async with _deadline(f"every broker to know topic {generation.topic}"):
            while not await self._is_known_everywhere(generation):  # noqa: ASYNC110  # nothing tells when
                await asyncio.sleep(_RETRY_S)
        _log.info("log_topic_created", topic=generation.topic, partitions=generation.partitions)

    async def _is_known_everywhere(self, generation: Generation) -> bool:
        for broker in (await self._client.fetch_all_metadata()).brokers():
            state = state_in(await self._client.send(broker.nodeId, TopicRequest(generation.topic)))
            if state is None or state.partitions < generation.partitions:
                return False
        return True

    async def _close(self, generation: Generation) -> None:
        """Have the brokers refuse commands for a topic; they learn of it one after the other."""
        # Kafka replaces all settings of the topic by those of the request.
        settings = await self._settings_of(generation.topic)
        if settings.get(LIMIT) != str(CLOSED_BYTES):
            wanted = settings | {LIMIT: str(CLOSED_BYTES)}
            resource = ConfigResource(ConfigResourceType.TOPIC, generation.topic, configs=wanted)
            [response] = await self._admin.alter_configs([resource])
            for code, message, *_ in response.resources:
                if code:
                    raise StoreUnavailable(f"{generation.topic} was not closed: {message}")
            _log.info("log_topic_closed", topic=generation.topic)

    async def _mark(self, generation: Generation, following: Generation) -> None:
        """Append the end marker to each partition of a closed topic, once its leader refuses commands."""
        async with _producer(self._settings) as producer, _consumer(self._settings) as consumer:
            for number in range(generation.partitions):
                partition = TopicPartition(generation.topic, number)
                if await _is_marked(consumer, partition):
                    continue
                async with _deadline(f"{generation.name_of(number)} to refuse commands"):
                    await _until_refused(producer, partition)
                    marker = end_marker(following.partitions)
                    await producer.send_and_wait(partition.topic, b"", partition=number, headers=marker)

    async def _settings_of(self, topic: str) -> dict[str, str]:
        """Return the settings that a topic has of its own."""
        [response] = await self._admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        [(code, message, _, _, entries)] = response.resources
        if code:
            raise StoreUnavailable(f"the settings of {topic} cannot be read: {message}")
        return {name: value for name, value, _, source, *_ in entries if source == _SET_ON_TOPIC}


@asynccontextmanager
async def log_growth(settings: KafkaSettings) -> AsyncIterator[LogGrowth]:
    """Open what is needed to let the log grow.

    Raises:
        StoreUnavailable: Kafka does not respond.
    """
    async with AsyncExitStack() as stack:
        try:
            client = AIOKafkaClient(**settings.connection())
            stack.push_async_callback(client.close)
            await client.bootstrap()
            admin = AIOKafkaAdminClient(**settings.connection())
            stack.push_async_callback(admin.close)
            await admin.start()
            yield LogGrowth(settings, client, admin)
        except (KafkaError, OSError) as error:
            raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error


async def _until_refused(producer: AIOKafkaProducer, partition: TopicPartition) -> None:
    """Return once a partition refuses what has the size of a command, as it does from then on."""
    while True:
        try:
            await producer.send_and_wait(partition.topic, b"", partition=partition.partition, headers=probe())
        except MessageSizeTooLargeError:
            return
        await asyncio.sleep(_RETRY_S)


async def _is_marked(consumer: AIOKafkaConsumer, partition: TopicPartition) -> bool:
    """Say whether the last record of a partition is its end marker."""
    consumer.assign([partition])
    begin = (await consumer.beginning_offsets([partition]))[partition]
    end = (await consumer.end_offsets([partition]))[partition]
    if begin == end:
        return False
    consumer.seek(partition, end - 1)
    async with _deadline(f"the last record of {partition.topic}/{partition.partition}", _READ_TIMEOUT_S):
        record: Any = await consumer.getone(partition)
        return is_end_marker(record)


@asynccontextmanager
async def _deadline(what: str, within_s: float = _STEP_TIMEOUT_S) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError as error:
        raise StoreUnavailable(f"waited {within_s:g} s for {what}") from error


@asynccontextmanager
async def _producer(settings: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    # Not compressed: the size is what tells a marker from a command.
    async with AIOKafkaProducer(**settings.connection(), acks="all") as producer:
        yield producer


@asynccontextmanager
async def _consumer(settings: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    async with AIOKafkaConsumer(**settings.connection(), enable_auto_commit=False) as consumer:
        yield consumer
