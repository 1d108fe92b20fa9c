"""`waybill-admin schema`: migrate the database to this release, or wait until it is migrated.

Exit codes: 0 done; 1 refused, or MongoDB does not respond; 2 the environment is wrong.
"""

import argparse
import asyncio
import sys
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.errors import WaybillError
from servicekit.settings import load_settings
from storage.mongo.database import open_database
from storage.mongo.schema import STEPS
from storage.mongo.schema.migrations import migrate, wait_until_taken
from storage.mongo.schema.retention import apply_retention
from storage.settings import MongoSettings, RetentionSettings

_WAIT_WITHIN_S: Final = 300.0


class Settings(BaseModel):
    """Settings of this command."""

    model_config = ConfigDict(frozen=True)

    mongo: MongoSettings
    retention: RetentionSettings


def main() -> int:
    """Run the command of the argument; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", nargs="?", choices=["apply", "wait"], default="apply")
    arguments = parser.parse_args()
    settings = load_settings(Settings)
    waits = arguments.command == "wait"
    try:
        asyncio.run(_wait(settings.mongo) if waits else _apply(settings.mongo, settings.retention))
    except WaybillError as error:
        sys.stderr.write(f"error: the schema could not be applied: {error}\n")
        return 1
    return 0


async def _apply(mongo: MongoSettings, retention: RetentionSettings) -> None:
    async with open_database(mongo) as database:
        for name in await migrate(database, STEPS):
            sys.stdout.write(f"taken: {name}\n")
        await apply_retention(database, retention)


async def _wait(mongo: MongoSettings) -> None:
    async with open_database(mongo) as database:
        await wait_until_taken(database, STEPS, within_s=_WAIT_WITHIN_S)
