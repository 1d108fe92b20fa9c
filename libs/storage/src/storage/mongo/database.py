"""Connections to MongoDB and Redis, with the timeouts that their drivers lack by default."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from typing import Any, Final, TypeVar

import pymongo
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, ReadPreference, WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.monitoring import ConnectionPoolListener
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import PrimaryPreferred

from storage.mongo.errors import translated
from storage.settings import MongoSettings

Database = AsyncDatabase[dict[str, Any]]

_CLOSE_S: Final = 2.0

T = TypeVar("T")

MOST_STALE_S: Final = 90
"""Seconds that a secondary may be behind the freshest and still be read: the least that MongoDB accepts."""

MAJORITY = WriteConcern(w="majority", j=True)


async def transacted(database: Database, work: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
    """Run `work` in one transaction; repeat it as a whole if MongoDB asks for a retry.

    Raises:
        StoreUnavailable: nothing was written, or the outcome is unknown.
    """
    # The driver would try for two minutes; nobody waits longer for this than for any other call.
    with translated(), pymongo.timeout(database.client.options.timeout):
        async with database.client.start_session() as session:
            return await session.with_transaction(work, write_concern=MAJORITY)


def readable_without_primary(database: Database) -> Database:
    """Return the database for single reads that a secondary may answer while there is no primary.

    They may be older than what the same caller has seen before: whatever decides reads from the primary.
    """
    return database.with_options(read_preference=PrimaryPreferred(max_staleness=MOST_STALE_S))


@asynccontextmanager
async def open_database(
    settings: MongoSettings, *listeners: ConnectionPoolListener
) -> AsyncIterator[Database]:
    """Open the database; does not wait for the server. Reads and writes are for the majority.

    Args:
        settings: address and timeouts.
        listeners: of the driver's connection events.
    """
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        settings.uri,
        timeoutMS=int(settings.timeout_s * 1000),
        # A server that is silent at the first greeting is greeted again; the driver would wait for 20 s.
        connectTimeoutMS=int(settings.timeout_s * 1000),
        serverSelectionTimeoutMS=int(settings.server_selection_timeout_s * 1000),
        maxPoolSize=settings.max_pool_size,
        appname="waybill",
        **settings.credentials(),
        **settings.tls(),
        event_listeners=listeners,
    )
    try:
        yield client.get_database(
            settings.database,
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            read_preference=ReadPreference.PRIMARY,
            write_concern=MAJORITY,
            read_concern=ReadConcern("majority"),
        )
    finally:
        # It says farewell to its sessions, and waits as long for a server that is silent as for any answer.
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await client.close()
