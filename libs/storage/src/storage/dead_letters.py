"""The index of the dead-letter topic: what operators look through."""

from dataclasses import asdict

from domain.dead_letters import DeadLetterEntry
from storage.client import Database
from storage.errors import translated
from storage.schema import DEAD_LETTERS


class MongoDeadLetterIndex:
    """`DeadLetterIndex` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._letters = database[DEAD_LETTERS]

    async def record(self, entry: DeadLetterEntry) -> None:
        """See `DeadLetterIndex.record`."""
        fields = asdict(entry)
        with translated():
            await self._letters.update_one({"_id": fields.pop("id")}, {"$setOnInsert": fields}, upsert=True)
