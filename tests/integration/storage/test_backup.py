"""Backups of a real MongoDB: of one instant, complete or not there, checked, and restored to the byte."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import encode

from storage.mongo.backup.archive import Archive, Damaged, archives_in, prune
from storage.mongo.backup.copying import NotEmpty, create, restore, restore_accounts
from storage.mongo.database import Database, open_database
from storage.mongo.schema import (
    AUTH_USERS,
    INDEXES,
    PARTITION_FENCES,
    SHIPMENT_LINKS,
    SHIPMENTS,
    STATUS_EVENTS,
    STEPS,
    WEBHOOK_DELIVERIES,
    WEBHOOK_ENDPOINTS,
    WEBHOOK_MESSAGES,
    WEBHOOK_REPLAYS,
)
from storage.mongo.schema.migrations import SCHEMA_MIGRATIONS, SchemaTooNew
from storage.settings import MongoSettings

pytestmark = pytest.mark.stack

NOW = datetime(2026, 11, 27, 13, 0, tzinfo=UTC)
LATER = datetime(2099, 1, 1, tzinfo=UTC)
"""Not expired yet, whenever this runs: MongoDB deletes by its own clock."""

MANY = 3_500
"""More than one batch of the driver and of an insert."""


@pytest.fixture
async def empty(mongo_uri: str) -> AsyncIterator[Database]:
    name = f"test_{uuid.uuid4().hex}"
    async with open_database(MongoSettings(MONGO_URI=mongo_uri, MONGO_DB=name)) as database:  # type: ignore[call-arg]
        yield database
        await database.client.drop_database(name)


@pytest.fixture
async def filled(database: Database) -> Database:
    """Give a database with documents of every kind of value that ours have."""
    shipments = [
        {
            "_id": f"99M-{index:012}",
            "client_id": "c",
            "at": NOW,
            "lat": 19.5,
            "parts": [{"n": None}, True, 2**40],
        }
        for index in range(MANY)
    ]
    await database[SHIPMENTS].insert_many(shipments)
    await database[STATUS_EVENTS].insert_many(
        {"_id": f"evt_{index}", "bytes": b"\0"} for index in range(MANY)
    )
    await database[PARTITION_FENCES].insert_one({"_id": "shipments.events/0", "epoch": 7, "next_offset": 9})
    await database[SHIPMENT_LINKS].insert_one(
        {"_id": "ln_1", "tracking_number": "99M-1", "slot": 0, "token_hash": b"\7" * 32, "expires_at": None}
    )
    return database


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def contents(database: Database) -> dict[str, list[bytes]]:
    """Return every document, byte for byte; the epochs of fences apart, which a restore raises."""
    found: dict[str, list[bytes]] = {}
    for name in await database.list_collection_names():
        documents = await database[name].find({}, sort=[("_id", 1)]).to_list()
        found[name] = [
            encode({key: value for key, value in each.items() if key not in ("epoch", "owner")})
            for each in documents
        ]
    return found


async def test_a_restored_database_equals_the_original(
    filled: Database, empty: Database, tmp_path: Path
) -> None:
    archive = await create(filled, tmp_path, now=NOW)
    assert await restore(empty, archive, now=NOW) == 2 * MANY + 2 + len(STEPS)
    assert await contents(empty) == await contents(filled)
    for name in INDEXES:
        assert await empty[name].index_information() == await filled[name].index_information()
    [fence] = await empty[PARTITION_FENCES].find().to_list()
    assert (fence["epoch"], fence["next_offset"]) == (8, 9), "no owner from before can commit"


async def test_what_was_due_is_held_in_a_restored_database(
    filled: Database, empty: Database, tmp_path: Path
) -> None:
    """It may have been delivered since; what is not pending stays as it is."""
    due = {"_id": "msg_1", "state": "pending", "due_at": NOW, "updated_at": NOW, "expires_at": None}
    done = {"_id": "msg_2", "state": "delivered", "due_at": None, "updated_at": NOW, "expires_at": LATER}
    await filled[WEBHOOK_DELIVERIES].insert_many([due, done])
    await filled[WEBHOOK_MESSAGES].insert_one({"_id": "evt_1", "full": b"{}", "expires_at": LATER})
    archive = await create(filled, tmp_path, now=NOW)

    await restore(empty, archive, now=LATER)

    expires_at = LATER + timedelta(days=7)
    held = {"_id": "msg_1", "state": "held", "due_at": None, "updated_at": LATER, "expires_at": expires_at}
    assert await empty[WEBHOOK_DELIVERIES].find(sort=[("_id", 1)]).to_list() == [held, done]
    assert await empty[WEBHOOK_MESSAGES].count_documents({}) == 1


async def test_endpoints_are_idle_in_a_restored_database(
    filled: Database, empty: Database, tmp_path: Path
) -> None:
    lease = {"owner": "webhooks-1", "epoch": 7, "until": NOW}
    failing = {"failures": 12, "failing_since": NOW - timedelta(days=4), "rest_until": LATER}
    busy = {"next_due_at": NOW, "lease": lease, **failing}
    await filled[WEBHOOK_ENDPOINTS].insert_one(
        {"_id": "wh_1", "state": "active", "work": 4, "epoch": 7, **busy}
    )
    await filled[WEBHOOK_REPLAYS].insert_one({"_id": "rp_1", "state": "running", "cursor": None})
    archive = await create(filled, tmp_path, now=NOW)

    await restore(empty, archive, now=LATER)

    healthy = {"failures": 0, "failing_since": None, "rest_until": None}
    idle = {"next_due_at": None, "lease": None, **healthy}
    [endpoint] = await empty[WEBHOOK_ENDPOINTS].find().to_list()
    assert endpoint == {"_id": "wh_1", "state": "active", "work": 5, "epoch": 8, **idle}
    [replay] = await empty[WEBHOOK_REPLAYS].find().to_list()
    assert replay["state"] == "done", "it would send again what is held now"


async def test_a_backup_is_of_one_instant(filled: Database, empty: Database, tmp_path: Path) -> None:
    """Fence and events move in one transaction: never is one of them in a backup without the other."""
    stop = asyncio.Event()

    async def write() -> None:
        offset = 9
        async with filled.client.start_session() as session:
            while not stop.is_set():
                async with await session.start_transaction():
                    await filled[STATUS_EVENTS].insert_one({"_id": f"new_{offset}"}, session=session)
                    offset += 1
                    await filled[PARTITION_FENCES].update_one(
                        {}, {"$set": {"next_offset": offset}}, session=session
                    )

    writing = asyncio.create_task(write())
    archives = [await create(filled, tmp_path, now=NOW + timedelta(seconds=index)) for index in range(5)]
    stop.set()
    await writing
    counts = []
    for archive in archives:
        [fence] = archive.documents(PARTITION_FENCES)
        counts.append(sum(str(each["_id"]).startswith("new_") for each in archive.documents(STATUS_EVENTS)))
        assert fence["next_offset"] == 9 + counts[-1]
    assert counts[-1] > 0
    assert await restore(empty, archives[-1], now=NOW) > MANY


async def test_a_backup_that_fails_leaves_nothing(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(filled, tmp_path, now=NOW)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("storage.mongo.backup.archive.Writer.add", full)
    with pytest.raises(OSError, match="No space left"):
        await create(filled, tmp_path, now=NOW + timedelta(hours=1))
    assert names_in(tmp_path) == ["waybill-20261127T130000Z"]


async def test_the_newest_are_kept_and_the_half_written_removed(filled: Database, tmp_path: Path) -> None:
    tmp_path.joinpath(".partial-waybill-20261127T110000Z").mkdir()
    for hour in range(4):
        await create(filled, tmp_path, now=NOW + timedelta(hours=hour))
    assert len(prune(tmp_path, keep=2)) == 2
    assert names_in(tmp_path) == ["waybill-20261127T150000Z", "waybill-20261127T160000Z"]
    assert archives_in(tmp_path)[0].taken_at == NOW + timedelta(hours=3)


@pytest.mark.parametrize("harm", ["changed", "missing", "no manifest"])
async def test_a_damaged_backup_is_not_restored(
    filled: Database, empty: Database, tmp_path: Path, harm: str
) -> None:
    archive = await create(filled, tmp_path, now=NOW)
    path = archive.path / (f"{SHIPMENTS}.bson.gz" if harm != "no manifest" else "manifest.json")
    if harm == "changed":
        path.write_bytes(path.read_bytes()[:-20] + b"\0" * 20)
    else:
        path.unlink()
    with pytest.raises(Damaged):
        await restore(empty, Archive.at(archive.path), now=NOW)
    assert await empty.list_collection_names() == []


async def test_nothing_is_restored_over_documents(filled: Database, tmp_path: Path) -> None:
    archive = await create(filled, tmp_path, now=NOW)
    await filled[AUTH_USERS].delete_many({})
    before = await contents(filled)
    with pytest.raises(NotEmpty, match="has documents in"):
        await restore(filled, archive, now=NOW)
    assert await contents(filled) == before


async def test_a_backup_of_a_later_release_is_refused(
    filled: Database, empty: Database, tmp_path: Path
) -> None:
    await filled[SCHEMA_MIGRATIONS].insert_one({"_id": 99, "name": "later", "breaks_older": True})
    archive = await create(filled, tmp_path, now=NOW)
    with pytest.raises(SchemaTooNew, match="step 99"):
        await restore(empty, archive, now=NOW)
    assert await empty.list_collection_names() == []


async def test_documents_can_be_read_one_by_one(filled: Database, tmp_path: Path) -> None:
    archive = await create(filled, tmp_path, now=NOW)
    originals = filled[SHIPMENTS].find({}, sort=[("_id", 1)])
    packed = {each["_id"]: each for each in archive.documents(SHIPMENTS)}
    async for original in originals:
        assert packed[original["_id"]].raw == encode(original)
    assert archive.manifest.parts[SHIPMENTS].documents == len(packed) == MANY


@pytest.mark.slow
async def test_the_hourly_backup_is_written_at_once_and_ends_on_a_signal(
    filled: Database, mongo_uri: str, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "toolbox", "backup", "repeat", str(tmp_path)),
        env={**os.environ, "MONGO_URI": mongo_uri, "MONGO_DB": filled.name},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 40)).startswith(b"written: waybill-")
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert len(archives_in(tmp_path)) == 1


async def test_accounts_of_another_region_replace_those_here_and_nothing_of_the_log(
    empty: Database, database: Database, tmp_path: Path
) -> None:
    ana = {"_id": "u1", "username": "ana", "role": "admin"}
    await empty[AUTH_USERS].insert_one(ana)
    await empty[SHIPMENTS].insert_one({"_id": "99M-theirs"})
    await empty[PARTITION_FENCES].insert_one({"_id": "shipments.events/0", "next_offset": 700, "epoch": 4})
    archive = await create(empty, tmp_path, now=NOW)
    here: dict[str, list[dict[str, Any]]] = {
        AUTH_USERS: [{"_id": "u1", "username": "ana", "role": "client"}, {"_id": "u2", "username": "gone"}],
        SHIPMENTS: [{"_id": "99M-ours"}],
        PARTITION_FENCES: [{"_id": "shipments.events/0", "next_offset": 3, "epoch": 1}],
    }
    for name, documents in here.items():
        await database[name].insert_many(documents, bypass_document_validation=True)

    assert await restore_accounts(database, archive, now=NOW) == 1

    assert await database[AUTH_USERS].find().to_list() == [ana]
    assert await database[SHIPMENTS].find().to_list() == [{"_id": "99M-ours"}]
    assert [each["next_offset"] async for each in database[PARTITION_FENCES].find()] == [3]
