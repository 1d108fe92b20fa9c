"""Health checks of Kafka: is it reachable, and can a topic be appended to?"""

import asyncio
from collections.abc import Iterable
from typing import Final

from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import ApiVersionRequest

from domain.errors import StoreUnavailable
from messaging.log.generations import Generation, generations_among
from messaging.settings import KafkaSettings
from messaging.topics import Topics

RESPONSE_TIMEOUT_S: Final = 1.8
_BROKER_RESPONSE_TIMEOUT_S: Final = 1.0


class KafkaProbe:
    """A separate connection to the brokers, opened by the first check."""

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
        """Say whether a broker responds; blocks no longer than two seconds."""
        try:
            async with asyncio.timeout(2):
                client = await self._connected()
                # All of them, since a randomly chosen one may be the one that hangs.
                is_reachable = await _any_responds(client, [each.nodeId for each in client.cluster.brokers()])
        except (KafkaError, OSError, TimeoutError):
            is_reachable = False
        if not is_reachable:
            await self.stop()
        return is_reachable

    async def generations(self) -> dict[Generation, list[int]]:
        """Return the generations of the log, in their order, each with the numbers of its partitions.

        Raises:
            StoreUnavailable: no broker responds, or there is no topic of the log.
        """
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_S):
                client = await self._connected()
                metadata = await client.fetch_all_metadata()
        except (KafkaError, OSError, TimeoutError) as error:
            await self.stop()
            raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error
        generations = generations_among(metadata.topics(), self._settings)
        found = {each: sorted(metadata.partitions_for_topic(each.topic) or ()) for each in generations}
        missing = [each.topic for each, numbers in found.items() if not numbers]
        if missing:
            raise StoreUnavailable(f"there is no topic {', '.join(missing)}")
        return found

    async def obstacle(self, topic: str) -> str | None:
        """Return the obstacle to appending to a topic, None if there is none.

        Where commands are appended to is the last generation of the log; `topic` is that of the first.

        An append waits for every in-sync replica: each of them must respond, and there must be enough. The
        metadata of the brokers alone is not trusted: without a quorum they return outdated metadata.
        """
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_S):
                client = await self._connected()
                metadata = await client.fetch_all_metadata()
                client.cluster = metadata  # brokers that joined later can be checked, too
                return await self._obstacle(client, metadata, topic)
        except (KafkaError, OSError, TimeoutError) as error:
            await self.stop()
            return f"Kafka does not respond: {type(error).__name__}"

    async def _obstacle(self, client: AIOKafkaClient, metadata: ClusterMetadata, topic: str) -> str | None:
        declared = 1
        if topic == Topics(self._settings.topic_prefix).events:
            last = generations_among(metadata.topics(), self._settings)[-1]
            topic, declared = last.topic, last.partitions
        # Private, and the only place where aiokafka keeps which replicas are in sync.
        partitions = metadata._partitions.get(topic)  # noqa: SLF001
        if not partitions:
            return f"there is no topic {topic}"
        if len(partitions) < declared:
            return f"topic {topic} has {len(partitions)} partitions, not {declared}"
        brokers = sorted({broker for each in partitions.values() for broker in (*each.isr, each.leader)})
        answers = await asyncio.gather(*(_responds(client, broker) for broker in brokers))
        silent = {broker for broker, answered in zip(brokers, answers, strict=True) if not answered}
        for number, partition in sorted(partitions.items()):
            if missing := silent & {*partition.isr, partition.leader}:
                return f"partition {number} waits for broker {', '.join(map(str, sorted(missing)))}"
            if len(partition.isr) < self._settings.min_insync_replicas:
                return f"partition {number} has only {len(partition.isr)} replicas in sync"
        return None

    async def _connected(self) -> AIOKafkaClient:
        async with self._connecting:  # two concurrent first checks open one connection
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


async def _any_responds(client: AIOKafkaClient, brokers: Iterable[int]) -> bool:
    asked = [asyncio.create_task(_responds(client, broker)) for broker in brokers]
    try:
        for first in asyncio.as_completed(asked):
            if await first:
                return True
    finally:
        for each in asked:
            each.cancel()
    return False


async def _responds(client: AIOKafkaClient, broker: int) -> bool:
    """Say whether a broker responds; there is none with the id -1, which means no leader."""
    try:
        async with asyncio.timeout(_BROKER_RESPONSE_TIMEOUT_S):
            await client.send(broker, ApiVersionRequest())
    except (KafkaError, OSError, TimeoutError):
        return False
    return True
