"""Appending commands to the log, through its generations (ADR 0037)."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from domain.errors import NotPublished, PublishUnknown
from messaging.producer.group_commit import GroupCommit, Partition
from messaging.producer.log_route import LogRoute, PartitionsClosed
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.settings import KafkaSettings

Lots = Mapping[Partition, Sequence[OutgoingRecord]]
"""Records by the partition that they go to."""
AppendLots = Callable[[Lots, float], Awaitable[object]]
"""Append lots within so many seconds; raises as `LogAppender.append`, and `PartitionsClosed`."""


class LogAppender:
    """Appends commands, each to the generation of the log that is open for its key."""

    def __init__(
        self,
        settings: KafkaSettings,
        append_lots: AppendLots,
        client: Callable[[], AIOKafkaClient | None],
    ) -> None:
        """Create an appender.

        Args:
            settings: of the connection.
            append_lots: of the producer.
            client: returns the connection to Kafka, None while there is none.
        """
        self._within_s = settings.publish_timeout_s
        self._append_lots = append_lots
        self._client = client
        self._route = LogRoute(settings)
        self._together = GroupCommit(
            self._append_together, within_s=settings.publish_timeout_s, pace_s=settings.pace_s
        )

    async def append(self, records: Sequence[OutgoingRecord]) -> None:
        """Append commands, those of one key in the order given; wait for all in-sync replicas.

        Raises:
            NotPublished: none of the records is in the log.
            PublishUnknown: some may be in the log, or get there later.
        """
        left = records
        while left:
            lots = self._lots(left)
            try:
                await self._append(lots)
            except PartitionsClosed as closed:
                left = [each for place in lots if place in closed.places for each in lots[place]]
                await self._pass_on(closed)
            except NotPublished as error:
                if len(left) < len(records):
                    raise PublishUnknown(f"some are in the log, of the others: {error}") from error
                raise
            else:
                return

    def is_log(self, topic: str) -> bool:
        """Say whether a topic is one of the log's."""
        return self._route.generation_of(topic) is not None

    def require_whole(self, topic: str, known: int) -> None:
        """Reject a topic of the log of which fewer partitions are known than it must have.

        Keys are not spread over additional ones: that would move shipments away from their waiting events.

        Raises:
            NotPublished: it has too few.
        """
        generation = self._route.generation_of(topic)
        if generation is not None and known < generation.partitions:
            raise NotPublished(f"topic {topic} has {known} partitions, not {generation.partitions}")

    def _lots(self, records: Sequence[OutgoingRecord]) -> Lots:
        """Return records by the partition that they go to, as far as that is known now."""
        lots: defaultdict[Partition, list[OutgoingRecord]] = defaultdict(list)
        for record in records:
            lots[self._route.place_of(record.key)].append(record)
        return lots

    async def _append(self, lots: Lots) -> None:
        if len(lots) == 1:
            [(place, lot)] = lots.items()
            if len(lot) == 1 and self._is_known(place[0]):
                await self._together.append(place, lot[0])
                return
        await self._append_lots(lots, self._within_s)

    async def _append_together(
        self, place: Partition, records: Sequence[OutgoingRecord], deadline: float
    ) -> None:
        await self._append_lots({place: records}, deadline - asyncio.get_running_loop().time())

    def _is_known(self, topic: str) -> bool:
        """Say whether a topic is known: one caller may wait until it is, a batch of many may not."""
        client = self._client()
        return client is not None and bool(client.cluster.partitions_for_topic(topic))

    async def _pass_on(self, closed: PartitionsClosed) -> None:
        client = self._client()
        if client is None:
            raise NotPublished("no connection to Kafka") from closed
        try:
            async with asyncio.timeout(self._within_s):
                await self._route.pass_on(closed.places, client)
        except (TimeoutError, KafkaError) as error:
            raise NotPublished(f"Kafka: {type(error).__name__} while the log goes on elsewhere") from error
