"""Replacement of `shipments` by another collection (ADR 0011)."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from storage.mongo.database import Database
from storage.mongo.documents import Document
from storage.mongo.errors import translated
from storage.mongo.schema import INDEXES, PARTITION_FENCES, SHIPMENTS

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)
_OWNER: Final = "rebuild"


class SideCollection:
    """Side collection with the shape and the indexes of `shipments`, which no service reads."""

    def __init__(self, database: Database, name: str) -> None:
        if name in INDEXES or not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be a side collection: a name of its own, [a-z0-9_]")
        self.name = name
        self._database = database
        self._shipments = database[name]

    async def exists(self) -> bool:
        """Return True if the collection exists."""
        with translated():
            return bool(await self._database.list_collection_names(filter={"name": self.name}))

    async def create(self) -> None:
        """Create the collection with its indexes, which cost less now than after it is filled."""
        with translated():
            await self._database.create_collection(self.name)
            await self._shipments.create_indexes(INDEXES[SHIPMENTS])

    async def add(self, shipments: Sequence[Document]) -> None:
        """Insert shipments."""
        with translated():
            await self._shipments.insert_many(shipments, ordered=False)

    async def replace_shipments(self) -> None:
        """Rename the collection to `shipments`, atomically; the old one is dropped."""
        with translated():
            await self._shipments.rename(SHIPMENTS, dropTarget=True)


async def fence_off(database: Database) -> Mapping[str, int]:
    """Raise the epoch of every fence: no batch in flight can be written any more.

    Returns:
        The next offset of each partition, which does not change until a processor takes the partition over.
    """
    with translated():
        await database[PARTITION_FENCES].update_many({}, {"$inc": {"epoch": 1}, "$set": {"owner": _OWNER}})
    return await fences_held(database)


async def fences_held(database: Database) -> Mapping[str, int]:
    """Return the next offset of each partition that no processor has taken over since `fence_off`."""
    with translated():
        held = await database[PARTITION_FENCES].find({"owner": _OWNER}).to_list()
    return {fence["_id"]: fence["next_offset"] for fence in held}
