"""Check of what a soak left behind against what it sent, one block of shipments at a time."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from bench.lives import Block, block_of
from bench.load import kafka_settings
from bench.soaking import Soaking

from devstack.client import RunningStack
from domain.shipments.event_identity import EventId
from messaging import codec
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from storage.mongo.database import Database, open_database
from storage.mongo.schema import SHIPMENTS, STATUS_EVENTS
from storage.settings import MongoSettings
from tests.support.history import Logged, Observed, Sent, violations

ENOUGH: Final = 20
"""Number of violations after which the check stops."""


async def verify(stack: RunningStack, sent: Soaking, *, start: Mapping[int, int]) -> list[str]:
    """Return every violation; `start` is the position in the log where the soak began, by partition.

    The log is read once. A block is checked as soon as all that should stand there of its shipments has been
    read, or the log is at its end; so what is held is what the partitions are apart.
    """
    found: list[str] = []
    settings = MongoSettings(MONGO_URI=stack.mongo_uri)  # type: ignore[call-arg]  # by its alias
    async with open_database(settings) as database, _reading(kafka_settings(stack), start) as log:
        for index in range(sent.blocks):
            block = block_of(sent.seed, index)
            expected = block.expected()
            records = await log.take(block, expected)
            observed = await _observed(database, block, records)
            doubts = sent.doubts[index]
            found += violations(observed, [Sent(*item, doubts) for item in expected.items()])
            if len(found) >= ENOUGH:
                return found
        return [*found, *(f"{number}: in the log, but nobody sent it then" for number in await log.rest())]


async def _observed(database: Database, block: Block, records: Sequence[Logged]) -> Observed:
    numbers = list(block.numbers)
    # The ids of a shipment's events share a prefix; the next character after "_" is "`".
    of_theirs = [{"_id": {"$gt": f"evt_{number}_", "$lt": f"evt_{number}`"}} for number in numbers]
    shipments = database[SHIPMENTS].find({"_id": {"$in": numbers}})
    events = database[STATUS_EVENTS].find({"$or": of_theirs})
    return Observed(
        log=records,
        shipments={document["_id"]: document async for document in shipments},
        events={document["_id"]: document async for document in events},
    )


@asynccontextmanager
async def _reading(settings: KafkaSettings, start: Mapping[int, int]) -> AsyncIterator["_Log"]:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = {TopicPartition(Topics().events, each): offset for each, offset in start.items()}
        consumer.assign(list(partitions))
        for partition, offset in partitions.items():
            consumer.seek(partition, offset)
        yield _Log(consumer, await consumer.end_offsets(list(partitions)))
    finally:
        await consumer.stop()


class _Log:
    """The log up to its current end; records that were read and not taken, by shipment."""

    def __init__(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        self._consumer = consumer
        self._ends = dict(ends)
        self._records: defaultdict[str, list[Logged]] = defaultdict(list)

    async def take(self, block: Block, expected: Counter[EventId]) -> list[Logged]:
        """Return the records of a block's shipments, each shipment's in order."""
        wanted = sum(expected.values())
        while self._ends and sum(len(self._records[number]) for number in block.numbers) < wanted:
            await self._read()
        return sorted(
            chain.from_iterable(self._records.pop(number, ()) for number in block.numbers),
            key=attrgetter("place"),
        )

    async def rest(self) -> list[str]:
        """Return the shipments with records that were not taken."""
        while self._ends:
            await self._read()
        return [number for number, records in self._records.items() if records]

    async def _read(self) -> None:
        arrived = await self._consumer.getmany(*self._ends, timeout_ms=200, max_records=2000)
        for partition, records in arrived.items():
            for record in records:
                if record.offset < self._ends[partition]:
                    self._keep(record)
        for partition, end in list(self._ends.items()):
            if await self._consumer.position(partition) >= end:
                del self._ends[partition]

    def _keep(self, record: Any) -> None:  # noqa: ANN401  # aiokafka ships no types
        decoded = codec.decode(record.value)
        logged = Logged((record.partition, record.offset), decoded.command, decoded.fingerprint)
        self._records[decoded.command.tracking_number].append(logged)
