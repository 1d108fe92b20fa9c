"""Asks Kafka whether it is there."""

import asyncio

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from messaging.settings import KafkaSettings


class KafkaProbe:
    """A connection of its own, made by the first `ping`, that asks the brokers for their metadata."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client: AIOKafkaClient | None = None

    async def stop(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def ping(self) -> bool:
        """Say whether a broker answers; blocks no longer than two seconds."""
        try:
            async with asyncio.timeout(2):
                client = await self._connected()
                metadata = await client.fetch_all_metadata()
        except (KafkaError, OSError, TimeoutError):
            await self.stop()
            return False
        return bool(metadata.brokers())

    async def _connected(self) -> AIOKafkaClient:
        if self._client is not None:
            return self._client
        client = AIOKafkaClient(**self._settings.connection(), request_timeout_ms=2000)
        try:
            await client.bootstrap()
        except BaseException:
            await client.close()
            raise
        self._client = client
        return client
