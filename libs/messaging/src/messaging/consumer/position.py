"""The read position of a partition, from aiokafka."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from domain.errors import StoreUnavailable

RESPONSE_TIMEOUT_S: Final = 3.0
_RETRY_S: Final = 0.5


async def soon(response: Awaitable[int]) -> int:
    """Await a response of Kafka, for `RESPONSE_TIMEOUT_S` at most.

    Raises:
        StoreUnavailable: there is none in time.
    """
    try:
        async with asyncio.timeout(RESPONSE_TIMEOUT_S):
            return await response
    except TimeoutError as error:
        raise StoreUnavailable("Kafka does not respond") from error


class ConsumerPosition:
    """`LogPosition` of one partition that is assigned to a consumer."""

    def __init__(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> None:
        self._consumer = consumer
        self._partition = partition

    async def end_offset(self) -> int:
        """See `LogPosition.end_offset`."""
        try:
            ends = await self._consumer.end_offsets([self._partition])
        except KafkaError as error:
            raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error
        return int(ends[self._partition])

    async def next_offset(self) -> int:
        """See `LogPosition.next_offset`; waits until the group's coordinator has returned it."""
        while True:
            with contextlib.suppress(KafkaError, IllegalStateError):
                return int(await self._consumer.position(self._partition))
            await asyncio.sleep(_RETRY_S)

    def seek(self, offset: int) -> None:
        """See `LogPosition.seek`; nothing happens if the partition is not assigned any more."""
        with contextlib.suppress(IllegalStateError):
            self._consumer.seek(self._partition, offset)

    async def is_behind(self) -> bool:
        """Say whether records wait in the log; False if that is unknown."""
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_S):
                position = await self._consumer.position(self._partition)
                return bool(position < await self.end_offset())
        except (KafkaError, StoreUnavailable, IllegalStateError, TimeoutError):
            return False
