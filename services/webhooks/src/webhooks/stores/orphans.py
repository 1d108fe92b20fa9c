"""Deliveries and replays of endpoints that do not exist any more."""

from typing import Final

from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import WEBHOOK_DELIVERIES, WEBHOOK_ENDPOINTS, WEBHOOK_REPLAYS

_AT_ONCE: Final = 1000


class MongoOrphans:
    """Orphans in MongoDB. Its calls raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._endpoints = database[WEBHOOK_ENDPOINTS]
        self._deliveries = database[WEBHOOK_DELIVERIES]
        self._replays = database[WEBHOOK_REPLAYS]

    async def find(self) -> list[str]:
        """Return the ids of endpoints that have deliveries or replays, and were deleted."""
        with translated():
            # One seek of the index per endpoint. An endpoint is there before its first delivery: what is not
            # there afterwards was deleted.
            ids = {
                *await self._deliveries.distinct("endpoint_id"),
                *await self._replays.distinct("endpoint_id"),
            }
            existing = self._endpoints.find({"_id": {"$in": list(ids)}}, ["_id"])
            return sorted(ids - {each["_id"] async for each in existing})

    async def delete(self, endpoint_id: str) -> int:
        """Delete all of an endpoint that was deleted; return the number of deliveries."""
        deleted = 0
        with translated():
            await self._replays.delete_many({"endpoint_id": endpoint_id})
            while True:
                found = self._deliveries.find({"endpoint_id": endpoint_id}, ["_id"]).limit(_AT_ONCE)
                ids = [each["_id"] async for each in found]
                if not ids:
                    return deleted
                deleted += (await self._deliveries.delete_many({"_id": {"$in": ids}})).deleted_count
