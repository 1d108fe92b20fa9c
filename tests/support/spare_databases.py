"""Databases that one test leaves to the next: to apply the schema costs more than most tests of a store."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from storage.mongo.database import Database, open_database
from storage.mongo.schema import apply_schema
from storage.mongo.schema.migrations import SCHEMA_MIGRATIONS
from storage.settings import MongoSettings

Shape = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpareDatabases:
    """Empty databases with the schema, of one server, for tests that end all that they start.

    Attributes:
        shapes: what each looked like when it was new, by its name.
    """

    mongo_uri: str
    shapes: dict[str, Shape] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def of(cls, mongo_uri: str) -> Iterator["SpareDatabases"]:
        """Keep databases for a block, and drop them after it."""
        spares = cls(mongo_uri)
        yield spares
        asyncio.run(spares._drop())  # its own class

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Database]:
        """Give one for a block; kept for others if nothing but documents has changed in it."""
        name, shape = self.shapes.popitem() if self.shapes else (f"test_{uuid.uuid4().hex}", None)
        async with open_database(self._settings(name)) as database:
            if shape is None:
                await apply_schema(database)
                shape = await _shape_of(database)
            yield database
            if await _is_quiet(database) and await _shape_of(database) == shape:
                await _empty(database, shape)
                self.shapes[name] = shape
            else:
                await database.client.drop_database(name)

    async def _drop(self) -> None:
        for name in self.shapes:
            async with open_database(self._settings(name)) as database:
                await database.client.drop_database(name)

    def _settings(self, name: str) -> MongoSettings:
        return MongoSettings(MONGO_URI=self.mongo_uri, MONGO_DB=name)  # type: ignore[call-arg]


async def _is_quiet(database: Database) -> bool:
    """Say whether no transaction is open: what one has written would meet the next test."""
    status = await database.client.admin.command("serverStatus")
    return not status["transactions"]["currentOpen"]


async def _shape_of(database: Database) -> Shape:
    """Return the collections with their options and indexes, and the steps that led there."""
    collections = await (await database.list_collections()).to_list()
    return {
        each["name"]: (each["type"], each["options"], await database[each["name"]].index_information())
        for each in collections
    } | {"steps": await database[SCHEMA_MIGRATIONS].find().sort("_id").to_list()}


async def _empty(database: Database, shape: Shape) -> None:
    for name in shape.keys() - {"steps", SCHEMA_MIGRATIONS}:
        await database[name].delete_many({})
