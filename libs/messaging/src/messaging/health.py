"""Asks Kafka whether it is there, and whether a topic can be appended to."""

import asyncio
from collections.abc import Iterable
from typing import Final

from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import ApiVersionRequest

from domain.errors import StoreUnavailable
from messaging.settings import KafkaSettings
from messaging.topics import Topics

ANSWER_WITHIN_S: Final = 1.8
_BROKER_ANSWERS_WITHIN_S: Final = 1.0


class KafkaProbe:
    """A connection of its own, made by the first question, that asks the brokers for their metadata."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client: AIOKafkaClient | None = None
        self._connecting = asyncio.Lock()

    async def stop(self) -> None:
        """Close the connection."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def ping(self) -> bool:
        """Say whether a broker answers; blocks no longer than two seconds."""
        try:
            async with asyncio.timeout(2):
                client = await self._connected()
                # All of them, for the one that is asked by chance may be the one that hangs.
                is_there = await _any_answers(client, [each.nodeId for each in client.cluster.brokers()])
        except (KafkaError, OSError, TimeoutError):
            is_there = False
        if not is_there:
            await self.stop()
        return is_there

    async def partitions(self, topic: str) -> list[int]:
        """Return the numbers of a topic's partitions.

        Raises:
            StoreUnavailable: no broker answers, or there is no such topic.
        """
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                client = await self._connected()
                numbers = (await client.fetch_all_metadata()).partitions_for_topic(topic)
        except (KafkaError, OSError, TimeoutError) as error:
            await self.stop()
            raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error
        if not numbers:
            raise StoreUnavailable(f"there is no topic {topic}")
        return sorted(numbers)

    async def obstacle(self, topic: str) -> str | None:
        """Return what keeps records from being appended to a topic, None if nothing does.

        An append waits for every replica that is in sync: each of them must answer, and there must be enough.
        What the brokers say of themselves is not believed: without a quorum they repeat what was true before.
        """
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                client = await self._connected()
                metadata = await client.fetch_all_metadata()
                client.cluster = metadata  # whoever joined after the first connection can be asked, too
                return await self._obstacle(client, metadata, topic)
        except (KafkaError, OSError, TimeoutError) as error:
            await self.stop()
            return f"Kafka does not answer: {type(error).__name__}"

    async def _obstacle(self, client: AIOKafkaClient, metadata: ClusterMetadata, topic: str) -> str | None:
        # Private, and the only place where aiokafka keeps which replicas are in sync.
        partitions = metadata._partitions.get(topic)  # noqa: SLF001
        if not partitions:
            return f"there is no topic {topic}"
        declared = self._settings.partitions
        if topic == Topics(self._settings.topic_prefix).events and len(partitions) < declared:
            return f"topic {topic} has {len(partitions)} partitions, not {declared}"
        brokers = sorted({broker for each in partitions.values() for broker in (*each.isr, each.leader)})
        answers = await asyncio.gather(*(_answers(client, broker) for broker in brokers))
        silent = {broker for broker, answered in zip(brokers, answers, strict=True) if not answered}
        for number, partition in sorted(partitions.items()):
            if missing := silent & {*partition.isr, partition.leader}:
                return f"partition {number} waits for broker {', '.join(map(str, sorted(missing)))}"
            if len(partition.isr) < self._settings.min_insync_replicas:
                return f"partition {number} has only {len(partition.isr)} replicas in sync"
        return None

    async def _connected(self) -> AIOKafkaClient:
        async with self._connecting:  # two first questions at once make one connection
            if self._client is None:
                self._client = await self._new_client()
            return self._client

    async def _new_client(self) -> AIOKafkaClient:
        client = AIOKafkaClient(**self._settings.connection(), request_timeout_ms=2000)
        try:
            await client.bootstrap()
        except BaseException:
            await client.close()
            raise
        return client


async def _any_answers(client: AIOKafkaClient, brokers: Iterable[int]) -> bool:
    asked = [asyncio.create_task(_answers(client, broker)) for broker in brokers]
    try:
        for first in asyncio.as_completed(asked):
            if await first:
                return True
    finally:
        for each in asked:
            each.cancel()
    return False


async def _answers(client: AIOKafkaClient, broker: int) -> bool:
    """Say whether a broker answers; there is none of the number -1, which stands for no leader."""
    try:
        async with asyncio.timeout(_BROKER_ANSWERS_WITHIN_S):
            await client.send(broker, ApiVersionRequest())
    except (KafkaError, OSError, TimeoutError):
        return False
    return True
