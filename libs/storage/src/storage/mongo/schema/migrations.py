"""Migrations of the database: numbered steps, each recorded, one runner at a time (ADR 0013).

A runner that dies in the middle of a step leaves it unrecorded, and the next runner repeats it: a step must
be idempotent.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pymongo
from pymongo.errors import DuplicateKeyError

from domain.errors import StoreUnavailable, WaybillError
from storage.mongo.database import Database
from storage.mongo.errors import translated

SCHEMA_MIGRATIONS: Final = "schema_migrations"

_LOCK: Final = "lock"
_LEASE_S: Final = 30
_RENEW_EVERY_S: Final = 10.0
_ASK_AGAIN_S: Final = 0.1
STEP_WITHIN_S: Final = 3_600.0
"""Building an index over everything takes longer than the usual timeout of the client."""


class SchemaTooNew(WaybillError):
    """A later release has migrated the database beyond what this release supports."""


class SchemaTooOld(WaybillError):
    """The database lacks steps that this release needs."""


@dataclass(frozen=True, slots=True)
class Step:
    """One migration step. Its number is its position in the list, for ever: steps are added at the end.

    Attributes:
        breaks_older: releases that do not know this step must not run on a database that has taken it.
    """

    name: str
    apply: Callable[[Database], Awaitable[None]]
    breaks_older: bool = False


async def migrate(database: Database, steps: Sequence[Step], *, wait_s: float = 600.0) -> list[str]:
    """Run the steps that are not recorded yet, in order; return their names.

    Raises:
        SchemaTooNew: an unknown step that breaks older releases is recorded; nothing was changed.
        StoreUnavailable: MongoDB refused, or another runner had not finished within `wait_s`.
    """
    if not await missing(database, steps):
        return []
    ran: list[str] = []
    async with _alone(database, wait_s=wait_s):
        for number in await missing(database, steps):
            step = steps[number - 1]
            with translated(), pymongo.timeout(STEP_WITHIN_S):
                await step.apply(database)
                await _record(database, number, step)
            ran.append(step.name)
    return ran


async def missing(database: Database, steps: Sequence[Step]) -> list[int]:
    """Return the numbers of the steps that are not recorded in the database.

    Raises:
        SchemaTooNew: see `migrate`.
    """
    with translated():
        found = await database[SCHEMA_MIGRATIONS].find({"_id": {"$type": "number"}}).to_list()
    recorded = {record["_id"]: record for record in found}
    refuse_newer(recorded, steps)
    return [number for number in range(1, len(steps) + 1) if number not in recorded]


async def wait_until_taken(database: Database, steps: Sequence[Step], *, within_s: float) -> None:
    """Wait until another runner has migrated the database as far as this release needs it.

    Raises:
        SchemaTooNew: see `migrate`.
        SchemaTooOld: no runner did in time.
        StoreUnavailable: MongoDB did not respond until the deadline.
    """
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        try:
            lacking = await missing(database, steps)
        except StoreUnavailable:
            if asyncio.get_running_loop().time() > deadline:
                raise
            lacking = None
        if lacking == []:
            return
        if lacking and asyncio.get_running_loop().time() > deadline:
            raise SchemaTooOld(f"step {lacking[0]} is not recorded: run `waybill-admin schema`")
        await asyncio.sleep(_ASK_AGAIN_S)


def refuse_newer(recorded: Mapping[int, Mapping[str, Any]], steps: Sequence[Step]) -> None:
    """Reject a database that a later release has changed in a way that breaks this one.

    Raises:
        SchemaTooNew: such a step is recorded.
    """
    for number, record in sorted(recorded.items()):
        if number > len(steps) and record.get("breaks_older", True):
            raise SchemaTooNew(
                f"the database has taken step {number} ({record.get('name')}); this one knows {len(steps)}"
            )


async def _record(database: Database, number: int, step: Step) -> None:
    await database[SCHEMA_MIGRATIONS].update_one(
        {"_id": number},
        [{"$set": {"name": step.name, "breaks_older": step.breaks_older, "applied_at": "$$NOW"}}],
        upsert=True,
    )


@contextlib.asynccontextmanager
async def _alone(database: Database, *, wait_s: float) -> AsyncIterator[None]:
    """Hold the migration lock: a lease by MongoDB's clock, renewed while the body runs."""
    owner = uuid.uuid4().hex
    deadline = asyncio.get_running_loop().time() + wait_s
    while not await _take(database, owner):
        if asyncio.get_running_loop().time() > deadline:
            raise StoreUnavailable(f"another runner has been migrating for {wait_s:.0f} s")
        await asyncio.sleep(_ASK_AGAIN_S)
    renewing = asyncio.create_task(_renew(database, owner))
    try:
        yield
    finally:
        renewing.cancel()
        with translated():
            await database[SCHEMA_MIGRATIONS].delete_one({"_id": _LOCK, "owner": owner})


async def _take(database: Database, owner: str) -> bool:
    until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": _LEASE_S}}
    lease = [{"$set": {"owner": owner, "until": until}}]
    locks = database[SCHEMA_MIGRATIONS]
    with translated():
        expired = await locks.update_one({"_id": _LOCK, "$expr": {"$lt": ["$until", "$$NOW"]}}, lease)
        if expired.matched_count:
            return True
        try:
            await locks.update_one({"_id": _LOCK, "owner": owner}, lease, upsert=True)
        except DuplicateKeyError:
            return False
    return True


async def _renew(database: Database, owner: str) -> None:
    while True:
        await asyncio.sleep(_RENEW_EVERY_S)
        with contextlib.suppress(StoreUnavailable):
            await _take(database, owner)
