"""Collections, indexes and validators of the database; `python -m storage.schema` applies them.

Collections must exist before the first transaction, and an index that events change costs about 50 µs per
event: exactly one does, the one of lists by client and status.
"""

import asyncio
import sys
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from domain.errors import StoreUnavailable
from domain.permissions import Role
from storage.client import Database, open_database
from storage.errors import translated
from storage.settings import MongoSettings

SHIPMENTS: Final = "shipments"
STATUS_EVENTS: Final = "status_events"
PARTITION_FENCES: Final = "partition_fences"
AUTH_USERS: Final = "auth_users"

INDEXES: Final[dict[str, list[IndexModel]]] = {
    SHIPMENTS: [
        IndexModel(
            [
                ("client_id", ASCENDING),
                ("current_status", ASCENDING),
                ("created_at", DESCENDING),
                ("_id", DESCENDING),
            ]
        ),
        IndexModel([("client_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("created_at", DESCENDING), ("_id", DESCENDING)]),
    ],
    STATUS_EVENTS: [],
    PARTITION_FENCES: [],
    AUTH_USERS: [IndexModel([("username", ASCENDING)], unique=True)],
}

# Only where writes are rare: on the two collections that events write, the rules of `domain` come first.
VALIDATORS: Final[dict[str, dict[str, Any]]] = {
    AUTH_USERS: {
        "$jsonSchema": {
            "bsonType": "object",
            "required": ["username", "password_hash", "role", "created_at", "updated_at", "disabled"],
            "properties": {
                "username": {"bsonType": "string"},
                "password_hash": {"bsonType": "string"},
                "role": {"enum": [str(role) for role in Role]},
                "client_id": {"bsonType": ["string", "null"]},
                "disabled": {"bsonType": "bool"},
            },
        }
    },
}


async def apply_schema(database: Database) -> None:
    """Create what is missing and bring validators up to date; safe to repeat.

    Raises:
        StoreUnavailable: MongoDB refused or did not answer.
    """
    with translated():
        existing = set(await database.list_collection_names())
        for name, indexes in INDEXES.items():
            if name not in existing:
                await database.create_collection(name)
            if indexes:
                await database[name].create_indexes(indexes)
        for name, validator in VALIDATORS.items():
            await database.command("collMod", name, validator=validator)


async def _main() -> int:
    async with open_database(MongoSettings()) as database:
        try:
            await apply_schema(database)
        except StoreUnavailable as error:
            sys.stderr.write(f"error: the schema could not be applied: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
