"""Where a partition's records are read, as aiokafka knows it."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from domain.errors import StoreUnavailable

ANSWER_TIMEOUT_S: Final = 3.0
_ASK_AGAIN_S: Final = 0.5


async def soon(answer: Awaitable[int]) -> int:
    """Wait for an answer, not for ever.

    Raises:
        StoreUnavailable: there is none.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return await answer
    except TimeoutError as error:
        raise StoreUnavailable("Kafka does not answer") from error


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
        """See `LogPosition.next_offset`; the group's coordinator is asked for it first."""
        while True:
            with contextlib.suppress(KafkaError, IllegalStateError):
                return int(await self._consumer.position(self._partition))
            await asyncio.sleep(_ASK_AGAIN_S)

    def seek(self, offset: int) -> None:
        """See `LogPosition.seek`; nothing happens if the partition is not assigned any more."""
        with contextlib.suppress(IllegalStateError):
            self._consumer.seek(self._partition, offset)

    async def is_behind(self) -> bool:
        """Say whether records wait in the log; False if that cannot be told."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                position = await self._consumer.position(self._partition)
                return bool(position < await self.end_offset())
        except (KafkaError, StoreUnavailable, IllegalStateError, TimeoutError):
            return False
