"""Replays as the runner sees them: jobs of which each slice is done once, even if runners crash."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument

from domain.values import value
from domain.webhooks.delivery import DeliveryState, ReplayState
from domain.webhooks.endpoint import types_wanted
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import WEBHOOK_DELIVERIES, WEBHOOK_REPLAYS

SLICE: Final = 500
LEASE_S: Final = 15
_LOOK_AGAIN_S: Final = 1
_RUNNING: Final = {"state": ReplayState.RUNNING.value}
_LEASE_END: Final = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": LEASE_S}}
_NEXT_LOOK: Final = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": _LOOK_AGAIN_S}}


@value(kw_only=True)
class ReplayJob:
    """A replay that is running.

    Attributes:
        since: creation of the first deliveries.
        until: deliveries from then on are not replayed.
        states: states of the deliveries.
        types: types of their messages; none: all.
        cursor: creation and id of the last delivery that was replayed, or None.
        is_walked: whether all of them were made due.
        epoch: raised with each lease; a write with an older one changes nothing.
    """

    replay_id: str
    endpoint_id: str
    since: datetime
    until: datetime
    states: tuple[str, ...]
    types: tuple[str, ...]
    cursor: tuple[datetime, str] | None
    is_walked: bool
    epoch: int


class MongoReplayJobs:
    """Replays in MongoDB. Its calls raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._replays = database[WEBHOOK_REPLAYS]
        self._deliveries = database[WEBHOOK_DELIVERIES]

    async def acquire(self) -> ReplayJob | None:
        """Take the lease of the running replay that was looked at least recently, None without one."""
        taken = {"epoch": {"$add": [{"$ifNull": ["$epoch", 0]}, 1]}, "leased_until": _LEASE_END}
        with translated():
            document = await self._replays.find_one_and_update(
                {**_RUNNING, "$expr": {"$lte": ["$leased_until", "$$NOW"]}},
                [{"$set": taken}],
                sort=[("leased_until", 1)],
                return_document=ReturnDocument.AFTER,
            )
        return None if document is None else _job(document)

    async def next_slice(self, job: ReplayJob) -> list[tuple[datetime, str]]:
        """Return creation and id of the next deliveries that the job replays, oldest first."""
        query: dict[str, Any] = {
            "endpoint_id": job.endpoint_id,
            "created_at": {"$gte": job.since, "$lt": job.until},
            **_chosen(job),
        }
        if job.cursor is not None:
            created_at, delivery_id = job.cursor
            query["$or"] = [
                {"created_at": {"$gt": created_at}},
                {"created_at": created_at, "_id": {"$gt": delivery_id}},
            ]
            query["created_at"]["$gte"] = max(job.since, created_at)
        with translated():
            found = self._deliveries.find(query, ["created_at"])
            found = found.sort([("created_at", 1), ("_id", 1)]).limit(SLICE)
            return [(each["created_at"], each["_id"]) async for each in found]

    async def make_due(self, job: ReplayJob, delivery_ids: Sequence[str], now: datetime) -> None:
        """Make deliveries due, each once for a job: those that carry its id stay as they are."""
        due = {
            "state": DeliveryState.PENDING.value,
            "due_at": now,
            "attempt": 0,
            "updated_at": now,
            "expires_at": None,
        }
        with translated():
            await self._deliveries.update_many(
                {"_id": {"$in": list(delivery_ids)}, **_chosen(job)},
                {"$set": due, "$addToSet": {"replay_ids": job.replay_id}},
            )

    async def note_cursor(self, job: ReplayJob, cursor: tuple[datetime, str]) -> bool:
        """Record how far a job has come, and prolong its lease; False if the lease is lost."""
        created_at, delivery_id = cursor
        moved = {"cursor": {"created_at": created_at, "id": delivery_id}, "leased_until": _LEASE_END}
        return await self._update(job, [{"$set": moved}])

    async def note_walked(self, job: ReplayJob) -> bool:
        """Record that a job has made all of its deliveries due; False if the lease is lost."""
        return await self._update(job, {"$set": {"is_walked": True}})

    async def has_pending(self, job: ReplayJob) -> bool:
        """Say whether any delivery of a job is still to be sent."""
        pending = {"replay_ids": job.replay_id, "state": DeliveryState.PENDING.value}
        with translated():
            return await self._deliveries.find_one(pending, ["_id"]) is not None

    async def look_again(self, job: ReplayJob) -> None:
        """Give the lease back, for a look in a second: some of the deliveries are still to be sent."""
        await self._update(job, [{"$set": {"leased_until": _NEXT_LOOK}}])

    async def end(self, job: ReplayJob) -> None:
        """Record that a job is done."""
        await self._update(job, {"$set": {"state": ReplayState.DONE.value}})

    async def _update(self, job: ReplayJob, update: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> bool:
        with translated():
            result = await self._replays.update_one(
                {"_id": job.replay_id, "epoch": job.epoch, **_RUNNING}, update
            )
        return result.matched_count == 1


def _chosen(job: ReplayJob) -> dict[str, Any]:
    chosen: dict[str, Any] = {"state": {"$in": list(job.states)}, "replay_ids": {"$ne": job.replay_id}}
    if job.types:
        chosen["type"] = {"$in": sorted(types_wanted(job.types))}
    return chosen


def _job(document: Mapping[str, Any]) -> ReplayJob:
    cursor = document.get("cursor")
    return ReplayJob(
        replay_id=document["_id"],
        endpoint_id=document["endpoint_id"],
        since=document["from"],
        until=document["to"],
        states=tuple(document["states"]),
        types=tuple(document["types"] or ()),
        cursor=None if cursor is None else (cursor["created_at"], cursor["id"]),
        is_walked=document.get("is_walked", False),
        epoch=document["epoch"],
    )
