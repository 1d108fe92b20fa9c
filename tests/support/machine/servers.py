"""The same world on real servers: MongoDB keeps the documents, Redis the hints."""

from collections.abc import Mapping
from typing import Any, cast

from domain.ports.core import Clock, Document, DuplicateFilter
from storage.mongo.database import Database
from storage.mongo.operations.dead_letter_index import MongoDeadLetterIndex
from storage.mongo.operations.quarantine import MongoQuarantineStore
from storage.mongo.processing.partition_state import MongoPartitionStateStore
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.mongo.schema import DEAD_LETTERS, OPERATOR_ACTIONS, PARTITION_FENCES, SHIPMENTS, STATUS_EVENTS
from storage.redis.connection import RedisClient
from storage.redis.duplicate_filter import RedisDuplicateFilter
from tests.support.machine.faulty_ports import ProcessFaults
from tests.support.machine.world import PARTITION, StorePorts


class MongoStores:
    """One database; `clear` it before the next world."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def for_process(self, faults: ProcessFaults) -> StorePorts:
        """See `Stores.for_process`; a commit can fail between its two writes."""
        store = MongoShipmentStore(self._database)
        writer = store._writer  # noqa: SLF001  # the middle of a transaction is not in the port
        write = writer._write_shipments  # noqa: SLF001  # as above
        writer._write_shipments = cast("Any", faults.watched("write_shipments", write))  # type: ignore[method-assign]  # noqa: SLF001  # as above
        return StorePorts(
            store,
            MongoPartitionStateStore(self._database),
            MongoQuarantineStore(self._database),
            MongoDeadLetterIndex(self._database),
        )

    async def next_offset(self) -> int:
        """See `Stores.next_offset`."""
        fence = await self._database[PARTITION_FENCES].find_one({"_id": PARTITION})
        return 0 if fence is None else int(fence["next_offset"])

    async def documents(self) -> tuple[Mapping[str, Document], Mapping[str, Document]]:
        """See `Stores.documents`."""
        shipments = {document["_id"]: document async for document in self._database[SHIPMENTS].find()}
        events = {document["_id"]: document async for document in self._database[STATUS_EVENTS].find()}
        return shipments, events

    async def clear(self) -> None:
        """Remove all documents."""
        for name in (SHIPMENTS, STATUS_EVENTS, PARTITION_FENCES, DEAD_LETTERS, OPERATOR_ACTIONS):
            await self._database[name].delete_many({})


class RedisHints:
    """One Redis database."""

    def __init__(self, redis: RedisClient, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock

    def filter(self) -> DuplicateFilter:
        """See `Hints.filter`."""
        return RedisDuplicateFilter(self._redis, self._clock)

    async def forget(self) -> None:
        """See `Hints.forget`."""
        await self._redis.flushdb()
