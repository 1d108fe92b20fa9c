"""Backlog of the log, seen from outside: no processor need be alive."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from domain.errors import StoreUnavailable
from messaging.dead_letters.records import instant_at
from messaging.health import KafkaProbe
from messaging.settings import KafkaSettings
from messaging.topic_reader import members_of
from messaging.unpacking import tolerant_consumer

RESPONSE_TIMEOUT_S: Final = 1.8
_FETCH_MS: Final = 100
_FETCH_BYTES: Final = 16 * 1024


_Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Records of a partition that are not applied.

    Attributes:
        count: how many, or a few less: markers of transactions count.
        oldest: when the first of them was appended, by the broker's clock; None: nothing waits, or it could
            not be read in time.
    """

    count: int
    oldest: datetime | None


class Backlog:
    """Comparison of the applied offsets with the log, by the broker's timestamps.

    A query costs two requests to each broker, whatever the load; records are fetched only where some seem to
    have waited too long. Made for one caller at a time.
    """

    def __init__(self, settings: KafkaSettings, group: str) -> None:
        """Create it; it connects at its first use.

        Args:
            settings: of the connection.
            group: consumer group of the first generation of the log.
        """
        self._settings = settings
        self._group = group
        self._probe = KafkaProbe(settings)
        self._consumer: AIOKafkaConsumer | None = None
        self._nothing_to_read: dict[TopicPartition, tuple[int, int]] = {}

    async def stop(self) -> None:
        """Close the connections."""
        await self._probe.stop()
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            await consumer.stop()

    async def members(self) -> int:
        """Return how many members the group of the last generation has now.

        Raises:
            StoreUnavailable: Kafka does not respond.
        """
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_S):
                *_, last = await self._probe.generations()
                return len(await members_of(self._settings, self._group + last.group))
        except TimeoutError as error:
            raise StoreUnavailable("Kafka does not return the members of the group") from error

    async def waiting(self, applied: Mapping[str, int], *, since: datetime) -> list[str]:
        """Return the partitions with a record that was appended before `since` and is not applied.

        Args:
            applied: for each partition, `topic/number`, that was ever owned, the next offset to apply.
            since: by the brokers' clock.

        Raises:
            StoreUnavailable: Kafka does not respond within `RESPONSE_TIMEOUT_S`.
        """
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_S):
                return await self._waiting(applied, int(since.timestamp() * 1000))
        except (KafkaError, OSError, TimeoutError) as error:
            await self.stop()
            raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error

    async def depths(self, applied: Mapping[str, int]) -> dict[str, Waiting]:
        """Return what waits in each partition of the log, `topic/number`.

        Args:
            applied: as for `waiting`.

        Raises:
            StoreUnavailable: Kafka does not respond within `RESPONSE_TIMEOUT_S`.
        """
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_S):
                return await self._depths(applied)
        except (KafkaError, OSError, TimeoutError) as error:
            await self.stop()
            raise StoreUnavailable(f"Kafka: {type(error).__name__}: {error}") from error

    async def _waiting(self, applied: Mapping[str, int], since_ms: int) -> list[str]:
        consumer = await self._connected()
        ends = await self._ends(consumer)
        behind = _behind(applied, ends)
        if not behind:
            return []
        later = await consumer.offsets_for_times(dict.fromkeys(behind, since_ms))
        overdue = {
            each: done for each, done in behind.items() if later[each] is None or later[each].offset > done
        }
        first = await self._first_records(overdue, ends)
        return [_name_of(each) for each in sorted(first)]

    async def _depths(self, applied: Mapping[str, int]) -> dict[str, Waiting]:
        ends = await self._ends(await self._connected())
        behind = _behind(applied, ends)
        first = await self._first_records(behind, ends)
        waiting = {each: Waiting(ends[each] - behind[each], oldest) for each, oldest in first.items()}
        return {_name_of(each): waiting.get(each, Waiting(0, None)) for each in ends}

    async def _ends(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        partitions = [
            TopicPartition(generation.topic, number)
            for generation, numbers in (await self._probe.generations()).items()
            for number in numbers
        ]
        return dict(await consumer.end_offsets(partitions))

    async def _first_records(self, behind: _Offsets, ends: _Offsets) -> dict[TopicPartition, datetime | None]:
        """Return the partitions in which a record can be read, or waits for a transaction to end.

        The rest of a partition may be transaction markers and aborted records: there is nothing to apply, so
        the applied offset does not move past them. The values are the times of the records that were read.
        """
        unread = {
            each for each, done in behind.items() if self._nothing_to_read.get(each) != (done, ends[each])
        }
        if not unread:
            return {}
        reader = tolerant_consumer(
            **self._settings.connection(),
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
        await reader.start()
        found: dict[TopicPartition, datetime | None] = {}
        try:
            reader.assign(list(unread))
            for each in unread:
                reader.seek(each, behind[each])
            try:
                async with asyncio.timeout(RESPONSE_TIMEOUT_S / 2):
                    while unread:
                        arrived = await reader.getmany(*unread, timeout_ms=_FETCH_MS, max_records=1)
                        found |= {
                            each: _instant_of(records[0].timestamp) for each, records in arrived.items()
                        }
                        unread -= arrived.keys()
                        for each in [one for one in unread if await reader.position(one) >= ends[one]]:
                            self._nothing_to_read[each] = behind[each], ends[each]
                            unread.discard(each)
            except (TimeoutError, KafkaError):
                found |= dict.fromkeys(unread)
        finally:
            await reader.stop()
        return found

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is not None:
            return self._consumer
        consumer = AIOKafkaConsumer(
            **self._settings.connection(), enable_auto_commit=False, request_timeout_ms=2000
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer
        return consumer


def _name_of(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"


def _behind(applied: Mapping[str, int], ends: _Offsets) -> dict[TopicPartition, int]:
    """Return the applied offset of each partition whose log goes further."""
    done = {each: applied.get(_name_of(each), 0) for each in ends}
    # A re-created topic starts at 0 again, below the offsets applied of the one before.
    done = {each: offset if offset <= ends[each] else 0 for each, offset in done.items()}
    return {each: offset for each, offset in done.items() if offset < ends[each]}


def _instant_of(timestamp_ms: int) -> datetime | None:
    return instant_at(timestamp_ms) if timestamp_ms > 0 else None  # a batch that cannot be read has none
