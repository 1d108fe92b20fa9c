"""`waybill-admin backup`: write backups of the database, check them, restore one.

Exit codes: 0 done; 1 refused, damaged or too old; 2 MongoDB does not respond, or the disk is full.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.errors import TransientError, WaybillError
from servicekit.settings import load_settings
from storage.mongo.backup.archive import Archive, archives_in, prune
from storage.mongo.backup.copying import NotEmpty, create, restore, restore_accounts
from storage.mongo.database import open_database
from storage.settings import MongoSettings

_HOUR_S: Final = 3_600


class Settings(BaseModel):
    """Settings of this command."""

    model_config = ConfigDict(frozen=True)

    mongo: MongoSettings


class TooOld(WaybillError):
    """There is no backup, or the newest one is too old."""


Command = Callable[[argparse.Namespace], None]


def main() -> int:
    """Run the command of the arguments; return the exit code."""
    arguments = _parser().parse_args()
    command: Command = arguments.run
    try:
        command(arguments)
    except (TransientError, OSError) as error:
        _say(f"error: {error}")
        return 2
    except WaybillError as error:
        _say(f"refused: {error}")
        return 1
    return 0


def _create(arguments: argparse.Namespace) -> None:
    asyncio.run(_create_once(arguments.directory, arguments.keep))


async def _create_once(directory: Path, keep: int) -> None:
    async with open_database(load_settings(Settings).mongo) as database:
        archive = await create(database, directory, now=datetime.now(UTC))
    _say(f"written: {_described(archive)}")
    for path in prune(directory, keep=keep):
        _say(f"removed: {path.name}")


def _repeat(arguments: argparse.Namespace) -> None:
    asyncio.run(_create_regularly(arguments.directory, arguments.keep, arguments.every_h * _HOUR_S))


async def _create_regularly(directory: Path, keep: int, every_s: float) -> None:
    """Write backups until SIGTERM, also after errors: `fresh` detects that the newest is too old."""
    stopped = asyncio.Event()
    # The first process of a container ignores a signal without a handler.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    while not stopped.is_set():
        try:
            await _create_once(directory, keep)
        except (WaybillError, OSError) as error:
            _say(f"error: {error}")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), every_s)


def _list(arguments: argparse.Namespace) -> None:
    for archive in archives_in(arguments.directory):
        _say(_described(archive))


def _verify(arguments: argparse.Namespace) -> None:
    archive = Archive.at(arguments.backup)
    archive.verify()
    _say(f"intact: {_described(archive)}")


def _fresh(arguments: argparse.Namespace) -> None:
    archives = archives_in(arguments.directory)
    if not archives:
        raise TooOld(f"{arguments.directory} has no backup")
    age = datetime.now(UTC) - archives[0].taken_at
    if age > timedelta(hours=arguments.max_age_h):
        raise TooOld(f"the newest backup is {age} old")
    _say(f"fresh: {_described(archives[0])}")


def _restore(arguments: argparse.Namespace) -> None:
    asyncio.run(_restore_into(Archive.at(arguments.backup), arguments.replace))


async def _restore_into(archive: Archive, replaced: str | None) -> None:
    async with open_database(load_settings(Settings).mongo) as database:
        if replaced is not None:
            if replaced != database.name:
                raise NotEmpty(f"--replace names {replaced}, but the database is {database.name}")
            archive.verify()
            await database.client.drop_database(database.name)
        documents = await restore(database, archive, now=datetime.now(UTC))
    _say(f"restored: {documents} documents into {database.name}")


def _restore_accounts(arguments: argparse.Namespace) -> None:
    asyncio.run(_restore_accounts_into(Archive.at(arguments.backup)))


async def _restore_accounts_into(archive: Archive) -> None:
    async with open_database(load_settings(Settings).mongo) as database:
        documents = await restore_accounts(database, archive, now=datetime.now(UTC))
    _say(f"restored: {documents} documents that are not in the log, into {database.name}")


def _described(archive: Archive) -> str:
    documents = sum(part.documents for part in archive.manifest.parts.values())
    return f"{archive.path.name}: {archive.manifest.database}, {documents} documents"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    for name, run, help_text in (
        ("create", _create, "write one backup now"),
        ("repeat", _repeat, "write one now and every hour"),
        ("list", _list, "name the backups, newest first"),
        ("fresh", _fresh, "fail if the newest is too old: for health checks"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("directory", type=Path)
        command.set_defaults(run=run)
        if name in ("create", "repeat"):
            command.add_argument("--keep", type=_positive, default=48, help="how many, the newest (48)")
        if name == "repeat":
            command.add_argument("--every-h", type=float, default=1.0, help="hours between two (1)")
        if name == "fresh":
            command.add_argument("--max-age-h", type=float, default=2.0, help="hours (2)")
    for name, run, help_text in (
        ("verify", _verify, "compare a backup with its checksums"),
        ("restore", _restore, "fill the empty database of MONGO_DB; the processors must be stopped"),
        ("restore-accounts", _restore_accounts, "replace what is not in the log: in a passive region"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("backup", type=Path)
        command.set_defaults(run=run)
        if name == "restore":
            command.add_argument("--replace", metavar="DATABASE", help="drop this one first: name MONGO_DB")
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least one backup is retained")
    return number


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
