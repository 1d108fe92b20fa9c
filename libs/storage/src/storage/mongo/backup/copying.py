"""Copies of documents from MongoDB, as of one instant, into a backup, and back into an empty database."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import ReplaceOne

from domain.errors import WaybillError
from storage.mongo.backup.archive import Archive, drafting
from storage.mongo.backup.webhooks import hold_pending
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.maintenance.collection_swap import fence_off
from storage.mongo.maintenance.snapshots import at_this_instant
from storage.mongo.schema import (
    AUTH_USERS,
    OPERATOR_ACTIONS,
    PARTITION_FENCES,
    QUARANTINED_SHIPMENTS,
    REVOKED_TOKENS,
    SHIPMENT_LINKS,
    STEPS,
    WEBHOOK_ENDPOINTS,
    apply_schema,
    create_declared,
)
from storage.mongo.schema.migrations import SCHEMA_MIGRATIONS, STEP_WITHIN_S, refuse_newer

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection

_RAW: Final = CodecOptions(document_class=RawBSONDocument)
_PER_INSERT: Final = 1_000
_NO_LOCK: Final = {"_id": {"$type": "number"}}

NOT_IN_THE_LOG: Final = (
    AUTH_USERS,
    REVOKED_TOKENS,
    SHIPMENT_LINKS,
    WEBHOOK_ENDPOINTS,
    QUARANTINED_SHIPMENTS,
    OPERATOR_ACTIONS,
)
"""Collections that processors and webhooks cannot fill from the log."""


class NotEmpty(WaybillError):
    """The database is not empty, so nothing was restored and nothing changed."""


async def create(database: Database, directory: Path, *, now: datetime) -> Archive:
    """Write every collection, as of one instant, into a new backup.

    Raises:
        StoreUnavailable: MongoDB did not respond, or reading took longer than its snapshot history.
        OSError: the backup could not be written and was removed.
    """
    with translated():
        names = await database.list_collection_names(filter={"type": "collection"})
    # The fences first: they are small, so the instant is that of the beginning.
    names.sort(key=lambda name: (name != PARTITION_FENCES, name))
    with drafting(directory, now) as (draft, path):
        async with database.client.start_session(snapshot=True) as session:
            for name in names:
                if name.startswith("system."):
                    continue
                with at_this_instant(), draft.part(name) as part:
                    wanted = _NO_LOCK if name == SCHEMA_MIGRATIONS else {}
                    batches = cast(
                        "AsyncIterator[bytes]", database[name].find_raw_batches(wanted, session=session)
                    )
                    async for batch in batches:
                        # Packing takes as long as reading: neither waits for the other's processor.
                        await asyncio.to_thread(part.add, batch)
        draft.finish(database.name, now)
    return Archive.at(path)


async def restore(database: Database, archive: Archive, *, now: datetime) -> int:
    """Restore a backup into an empty database and migrate it to this release; return the number of documents.

    The epochs of all fences are raised: no batch that a processor has in flight can be written any more.
    The offsets of the consumer group do not matter: reading starts at the fences (ADR 0012).
    Pending deliveries of webhooks are held (ADR 0027).

    Raises:
        Damaged: the backup differs from its manifest; nothing was changed.
        NotEmpty: the database has documents; nothing was changed.
        SchemaTooNew: the backup is of an incompatible later release; nothing was changed.
        StoreUnavailable: MongoDB did not respond; drop the database and restore again.
    """
    await asyncio.to_thread(archive.verify)
    refuse_newer({record["_id"]: record for record in _recorded(archive)}, STEPS)
    await _require_empty(database)
    with translated():
        # What the schema's own command has recorded here is true no more.
        await database.drop_collection(SCHEMA_MIGRATIONS)
    for name in archive.manifest.parts:
        await _fill(database, name, archive.documents(name))
    with translated(), pymongo.timeout(STEP_WITHIN_S):
        await create_declared(database)
    await fence_off(database)
    await apply_schema(database)
    await hold_pending(database, now)
    return sum(part.documents for part in archive.manifest.parts.values())


async def restore_accounts(database: Database, archive: Archive, *, now: datetime) -> int:
    """Replace what is not in the log by that of a backup of another region; return the number of documents.

    Shipments, the audit log and the fences stay: they come from this region's own log (ADR 0041). Endpoints
    of webhooks begin without what was due.

    Raises:
        Damaged: the backup differs from its manifest; nothing was changed.
        SchemaTooNew: the backup is of an incompatible later release; nothing was changed.
        StoreUnavailable: MongoDB did not respond; repeat it.
    """
    await asyncio.to_thread(archive.verify)
    refuse_newer({record["_id"]: record for record in _recorded(archive)}, STEPS)
    restored = 0
    for name in (each for each in NOT_IN_THE_LOG if each in archive.manifest.parts):
        collection = cast("AsyncCollection[RawBSONDocument]", database[name].with_options(_RAW))
        documents, ids = archive.documents(name), []
        with translated():
            while batch := await asyncio.to_thread(_next_of, documents):
                await collection.bulk_write(
                    [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in batch],
                    ordered=False,
                    bypass_document_validation=True,
                )
                ids += [each["_id"] for each in batch]
            if name != OPERATOR_ACTIONS:  # what was done here stays on record
                await collection.delete_many({"_id": {"$nin": ids}})
        restored += len(ids)
    await hold_pending(database, now)
    return restored


async def _fill(database: Database, name: str, documents: Iterator[RawBSONDocument]) -> None:
    collection = cast("AsyncCollection[RawBSONDocument]", database[name].with_options(_RAW))
    while batch := await asyncio.to_thread(_next_of, documents):
        with translated():
            await collection.insert_many(batch, ordered=False, bypass_document_validation=True)


def _next_of(documents: Iterable[RawBSONDocument]) -> list[RawBSONDocument]:
    return list(islice(documents, _PER_INSERT))


def _recorded(archive: Archive) -> Iterator[dict[str, Any]]:
    if SCHEMA_MIGRATIONS in archive.manifest.parts:
        for document in archive.documents(SCHEMA_MIGRATIONS):
            yield dict(document)


async def _require_empty(database: Database) -> None:
    with translated():
        for name in await database.list_collection_names(filter={"type": "collection"}):
            if name != SCHEMA_MIGRATIONS and await database[name].find_one({}) is not None:
                raise NotEmpty(f"{database.name} has documents in {name}: drop it, or name another MONGO_DB")
