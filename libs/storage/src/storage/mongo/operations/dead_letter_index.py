"""Index of the dead-letter topic for operators: each dead letter and its state."""

from dataclasses import asdict
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from domain.processing.dead_letter import (
    UNTOUCHED,
    DeadLetterEntry,
    DeadLetterId,
    DeadLetterState,
    Discard,
    Replay,
    discarded,
    last_replay,
    replayed,
)
from storage.mongo.database import Database, transacted
from storage.mongo.errors import translated
from storage.mongo.operations.operator_actions import MongoActionLog
from storage.mongo.schema import DEAD_LETTERS


class MongoDeadLetterIndex:
    """`DeadLetterIndex` and `DeadLetterBin` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dead_letters = database[DEAD_LETTERS]
        self._actions = MongoActionLog(database)

    async def record(self, entry: DeadLetterEntry) -> None:
        """See `DeadLetterIndex.record`."""
        fields = {**asdict(entry), **UNTOUCHED}
        with translated():
            await self._dead_letters.update_one(
                {"_id": fields.pop("id")}, {"$setOnInsert": fields}, upsert=True
            )

    async def note_replay(self, replay: Replay) -> None:
        """See `DeadLetterIndex.note_replay`. The action's id, one for each position, makes it idempotent."""

        async def both(session: AsyncClientSession) -> None:
            if await self._actions.note(replayed(replay), session=session):
                await self._dead_letters.update_one(
                    {"_id": {"$eq": replay.dead_letter_id}}, [{"$set": _after(replay)}], session=session
                )

        await transacted(self._database, both)

    async def discard(self, dead_letter_id: DeadLetterId, discard: Discard) -> Discard | None:
        """See `DeadLetterBin.discard`."""

        async def both(session: AsyncClientSession) -> Discard | None:
            changed = await self._dead_letters.update_one(
                {"_id": {"$eq": dead_letter_id}, "state": {"$ne": DeadLetterState.DISCARDED.value}},
                {"$set": {"state": DeadLetterState.DISCARDED.value, "discard": asdict(discard)}},
                session=session,
            )
            if changed.matched_count:
                await self._actions.note(discarded(dead_letter_id, discard), session=session)
                return discard
            found = await self._dead_letters.find_one(
                {"_id": {"$eq": dead_letter_id}}, ["discard"], session=session
            )
            return None if found is None else Discard(**found["discard"])

        return await transacted(self._database, both)


def _after(replay: Replay) -> dict[str, Any]:
    """Return the update for a replay. The processor records it late: a discard after it stands."""
    was_before = {"$gt": ["$discard.at", replay.at]}
    return {
        "replays": {"$add": ["$replays", 1]},
        "last_replay": {"$literal": last_replay(replay)},
        "state": {"$cond": [was_before, "$state", DeadLetterState.REPLAYED.value]},
    }
