"""A database from an older backup comes up to the present out of the log: each event once, none left out."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.mongo.backup.copying import create, restore
from storage.mongo.checkpoints import RING
from storage.mongo.schema import DEAD_LETTERS, SHIPMENTS, STATUS_EVENTS
from tests.integration.processor.traffic import traffic
from tests.support.builders import number
from tests.support.site import Site, processing
from tests.support.topics import write_values

pytestmark = [pytest.mark.stack, pytest.mark.slow]

TIMES = dict.fromkeys(("recorded_at", "updated_at", "status_history.recorded_at", f"{RING}.recorded_at"), 0)
SHIPMENTS_IN_ALL = 40


async def present(site: Site) -> list[dict[str, object]]:
    """Return all that events have made, but for the times of its making."""
    return [
        document
        for name in (SHIPMENTS, STATUS_EVENTS)
        async for document in site.database[name].find({}, TIMES, sort=[("_id", 1)])
    ]


async def test_an_older_backup_and_the_log_make_the_present(site: Site, tmp_path: Path) -> None:
    commands = traffic(SHIPMENTS_IN_ALL)
    first, rest = commands[: len(commands) // 2], commands[len(commands) // 2 :]
    async with processing(site):
        await site.send(first)
        await site.finished()
    archive = await create(site.database, tmp_path, now=datetime.now(UTC))
    async with processing(site):
        await site.send(rest)
        await site.finished()
    wanted = await present(site)

    await site.database.client.drop_database(site.database.name)
    await restore(site.database, archive, now=datetime.now(UTC))
    assert await present(site) != wanted
    async with processing(site):
        await site.finished()
    assert await present(site) == wanted
    assert await site.violations(commands) == []


async def test_without_a_backup_the_whole_log_is_read_again(site: Site) -> None:
    commands = traffic(5)
    async with processing(site):
        await site.send(commands)
        await site.finished()
    await site.database.client.drop_database(site.database.name)
    async with processing(site):
        await site.finished()
    assert await site.violations(commands) == []


async def test_dead_letters_since_the_backup_are_indexed_again(site: Site, tmp_path: Path) -> None:
    async def places() -> list[tuple[int, int]]:
        dead_letters = site.database[DEAD_LETTERS].find({}, sort=[("partition", 1), ("offset", 1)])
        return [(dead_letter["partition"], dead_letter["offset"]) async for dead_letter in dead_letters]

    async with processing(site):
        await site.send(traffic(5))
        await site.finished()
    archive = await create(site.database, tmp_path, now=datetime.now(UTC))
    poison = [(number(each).encode(), b"\xff{") for each in range(4)]
    await write_values(site.kafka, site.topics.events, poison)
    async with processing(site):
        await site.send(traffic(5, first=5))
        await site.finished()
    wanted = await places()
    assert len(wanted) == len(poison)
    await site.database.client.drop_database(site.database.name)
    await restore(site.database, archive, now=datetime.now(UTC))
    assert await places() == []
    async with processing(site):
        await site.finished()
    assert await places() == wanted


async def test_the_commands_do_it_from_outside(site: Site, tmp_path: Path) -> None:
    async def run(*command: str) -> str:
        return await asyncio.to_thread(said_by, site, *command)

    async with processing(site):
        await site.send(traffic(3))
        await site.finished()
    there, name = str(tmp_path), site.mongo.database
    assert await run("toolbox", "backup", "fresh", there) == f"1 refused: {there} has no backup"
    written = await run("toolbox", "backup", "create", there)
    assert written.startswith("0 written: waybill-")
    path = str(tmp_path / written.split()[2].rstrip(":"))
    assert (await run("toolbox", "backup", "fresh", there)).startswith("0 fresh: ")
    assert (await run("toolbox", "backup", "verify", path)).startswith("0 intact: ")
    assert (await run("toolbox", "backup", "restore", path)).startswith(
        f"1 refused: {name} has documents in "
    )
    refused = await run("toolbox", "backup", "restore", path, "--replace", "another")
    assert refused == f"1 refused: --replace names another, but the database is {name}"
    done = await run("toolbox", "backup", "restore", path, "--replace", name)
    assert done.startswith("0 restored: ")


def said_by(site: Site, *command: str) -> str:
    """Run a module, and return its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, **site.environment("tool")},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    return f"{done.returncode} {done.stdout}{done.stderr}".strip()
