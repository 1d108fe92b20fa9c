"""Another collection in the place of `shipments` (ADR 0011)."""

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
    """Shipments beside `shipments`: the same shape, the same indexes, read by nobody."""

    def __init__(self, database: Database, name: str) -> None:
        if name in INDEXES or not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be a side collection: a name of its own, [a-z0-9_]")
        self.name = name
        self._database = database
        self._shipments = database[name]

    async def exists(self) -> bool:
        """Say whether it is there."""
        with translated():
            return bool(await self._database.list_collection_names(filter={"name": self.name}))

    async def create(self) -> None:
        """Make it, with its indexes, which cost less now than after it is filled."""
        with translated():
            await self._database.create_collection(self.name)
            await self._shipments.create_indexes(INDEXES[SHIPMENTS])

    async def add(self, shipments: Sequence[Document]) -> None:
        """Put shipments in."""
        with translated():
            await self._shipments.insert_many(shipments, ordered=False)

    async def replace_shipments(self) -> None:
        """Make it `shipments`, in one step; what was `shipments` is gone."""
        with translated():
            await self._shipments.rename(SHIPMENTS, dropTarget=True)


async def fence_off(database: Database) -> Mapping[str, int]:
    """Raise the epoch of every fence: no batch that anybody has in work can be committed any more.

    Returns:
        The next offset of each partition, which stays as it is until somebody takes the partition over.
    """
    with translated():
        await database[PARTITION_FENCES].update_many({}, {"$inc": {"epoch": 1}, "$set": {"owner": _OWNER}})
    return await fences_held(database)


async def fences_held(database: Database) -> Mapping[str, int]:
    """Return the next offset of each partition that nobody has taken over since `fence_off`."""
    with translated():
        held = await database[PARTITION_FENCES].find({"owner": _OWNER}).to_list()
    return {fence["_id"]: fence["next_offset"] for fence in held}
