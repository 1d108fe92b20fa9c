"""The collection of replays, and how far each has come."""

from datetime import datetime, timedelta
from typing import Any, Final

from domain.ports.core import Document
from domain.values import value
from domain.webhooks.delivery import DeliveryState, ReplayState
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import WEBHOOK_DELIVERIES, WEBHOOK_REPLAYS

KEPT_FOR: Final = timedelta(days=30)


@value(kw_only=True)
class Replay:
    """A request to send deliveries of an endpoint again.

    Attributes:
        replay_id: `rp_…`.
        start: deliveries created from then on, until before `end`.
        states: of the deliveries.
        types: of the messages; none: all.
    """

    replay_id: str
    endpoint_id: str
    start: datetime
    end: datetime
    states: tuple[DeliveryState, ...]
    types: tuple[str, ...]
    state: ReplayState
    created_at: datetime


@value(kw_only=True)
class ReplayProgress:
    """Numbers of deliveries: those that a replay has found so far, and how they have ended.

    A delivery that is sent once more for another reason counts as it is now.
    """

    matched: int
    sent: int
    failed: int


class MongoReplayStore:
    """Replays in MongoDB. Its calls raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._replays = database[WEBHOOK_REPLAYS]
        self._deliveries = database[WEBHOOK_DELIVERIES]

    async def add(self, replay: Replay) -> None:
        """Add a replay, to be run by any replica."""
        with translated():
            await self._replays.insert_one(_document_of(replay))

    async def get(self, endpoint_id: str, replay_id: str) -> Replay | None:
        """Return a replay, or None if the endpoint has none of that id."""
        with translated():
            document = await self._replays.find_one({"_id": replay_id, "endpoint_id": endpoint_id})
        return None if document is None else replay_of(document)

    async def running(self, endpoint_id: str, *, most: int) -> int:
        """Return how many replays of an endpoint are running, counted up to `most`."""
        query = {"endpoint_id": endpoint_id, "state": ReplayState.RUNNING.value}
        with translated():
            return await self._replays.count_documents(query, limit=most)

    async def progress(self, replay_id: str) -> ReplayProgress:
        """Return how far a replay has come, counted from the deliveries themselves."""
        stages: list[Document] = [
            {"$match": {"replay_ids": replay_id}},
            {"$group": {"_id": "$state", "count": {"$sum": 1}}},
        ]
        with translated():
            cursor = await self._deliveries.aggregate(stages)
            counts = {each["_id"]: each["count"] async for each in cursor}
        return ReplayProgress(
            matched=sum(counts.values()),
            sent=counts.get(DeliveryState.DELIVERED.value, 0),
            failed=counts.get(DeliveryState.FAILED.value, 0),
        )


def replay_of(document: Document) -> Replay:
    """Return the replay of a document of the collection."""
    return Replay(
        replay_id=document["_id"],
        endpoint_id=document["endpoint_id"],
        start=document["from"],
        end=document["to"],
        states=tuple(DeliveryState(each) for each in document["states"]),
        types=tuple(document["types"]),
        state=ReplayState(document["state"]),
        created_at=document["created_at"],
    )


def _document_of(replay: Replay) -> dict[str, Any]:
    return {
        "_id": replay.replay_id,
        "endpoint_id": replay.endpoint_id,
        "from": replay.start,
        "to": replay.end,
        "states": [state.value for state in replay.states],
        "types": list(replay.types),
        "state": replay.state.value,
        "cursor": None,
        "created_at": replay.created_at,
        "expires_at": replay.created_at + KEPT_FOR,
    }
