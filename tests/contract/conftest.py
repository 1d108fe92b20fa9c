"""The store that its suites are run on: in memory, and on MongoDB."""

import socket
from collections.abc import AsyncIterator, Sequence

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from domain.ports.core import Document, ShipmentStore
from storage.mongo.database import Database
from tests.contract.partition_stores import TOPIC, PartitionStores
from tests.contract.writing import Storage
from tests.support.fakes import (
    Documents,
    InMemoryActionLog,
    InMemoryDeadLetterReader,
    InMemoryEventReader,
    InMemoryPartitionControl,
    InMemoryPartitionStateStore,
    InMemoryQuarantineStore,
    InMemoryShipmentReader,
    InMemoryShipmentStore,
    InMemoryStatusReader,
)


@pytest.fixture
def database(spare_database: Database) -> Database:
    return spare_database


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.stack)])
def storage(request: pytest.FixtureRequest) -> Storage:
    if request.param == "memory":
        documents = Documents()

        async def remember(dead_letters: Sequence[Document]) -> None:
            documents.dead_letters |= {dead_letter["id"]: dead_letter for dead_letter in dead_letters}

        return Storage(
            InMemoryShipmentStore(documents),
            InMemoryShipmentReader(documents),
            InMemoryEventReader(documents),
            InMemoryDeadLetterReader(documents),
            InMemoryStatusReader(documents),
            remember,
        )
    from storage.mongo.processing.shipment_store import MongoShipmentStore  # noqa: PLC0415  # only with the stack
    from storage.mongo.queries import readers  # noqa: PLC0415  # only with the stack
    from storage.mongo.queries.statuses import MongoStatusReader  # noqa: PLC0415  # only with the stack
    from storage.mongo.schema import DEAD_LETTERS  # noqa: PLC0415  # only with the stack

    database = request.getfixturevalue("database")

    async def insert(dead_letters: Sequence[Document]) -> None:
        renamed = [{"_id": dead_letter["id"]} | dead_letter for dead_letter in dead_letters]
        await database[DEAD_LETTERS].insert_many(
            [{name: value for name, value in dead_letter.items() if name != "id"} for dead_letter in renamed]
        )

    return Storage(
        MongoShipmentStore(database),
        readers.MongoShipmentReader(database),
        readers.MongoEventReader(database),
        readers.MongoDeadLetterReader(database),
        MongoStatusReader(database),
        insert,
    )


@pytest.fixture
def store(storage: Storage) -> ShipmentStore:
    return storage.store


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.stack)])
def partition_stores(request: pytest.FixtureRequest) -> PartitionStores:
    if request.param == "memory":
        documents = Documents()
        return PartitionStores(
            InMemoryShipmentStore(documents),
            InMemoryPartitionStateStore(documents),
            InMemoryPartitionControl(documents, TOPIC),
            InMemoryQuarantineStore(documents),
            InMemoryActionLog(documents),
        )
    from storage.mongo.operations.operator_actions import MongoActionLog  # noqa: PLC0415  # only with the stack
    from storage.mongo.operations.quarantine import MongoQuarantineStore  # noqa: PLC0415  # only with the stack
    from storage.mongo.processing import partition_state as stored  # noqa: PLC0415  # only with the stack
    from storage.mongo.processing.shipment_store import MongoShipmentStore  # noqa: PLC0415  # only with the stack

    database = request.getfixturevalue("database")
    return PartitionStores(
        MongoShipmentStore(database),
        stored.MongoPartitionStateStore(database),
        stored.MongoPartitionControl(database, TOPIC),
        MongoQuarantineStore(database),
        MongoActionLog(database),
    )


@pytest.fixture
async def redis_that_is_gone() -> AsyncIterator[Redis]:
    """Give a client of a port that refuses connections: bound, so that nobody else can listen there."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        async with Redis(port=held.getsockname()[1], retry=Retry(NoBackoff(), 0)) as client:
            yield client
