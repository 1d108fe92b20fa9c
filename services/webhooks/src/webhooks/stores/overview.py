"""Totals of endpoints and of what is due, for the metrics."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.webhooks.endpoint import EndpointState
from domain.webhooks.schedule import BREAKER_FAILURES
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import WEBHOOK_ENDPOINTS

_ACTIVE: Final = EndpointState.ACTIVE.value
_BY_STATE: Final = [
    {
        "$group": {
            "_id": {
                "state": "$state",
                "reason": "$paused_reason",
                "fails": {"$gt": ["$failing_since", None]},
            },
            "endpoints": {"$sum": 1},
        }
    }
]


class MongoOverview:
    """Totals in MongoDB. Its calls raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._endpoints = database[WEBHOOK_ENDPOINTS]

    async def endpoints(self) -> dict[str, int]:
        """Return the number of endpoints by state: active, failing, paused by each reason."""
        counts: dict[str, int] = {}
        with translated():
            async for group in await self._endpoints.aggregate(_BY_STATE):
                name = _name(group["_id"])
                counts[name] = counts.get(name, 0) + group["endpoints"]
        return counts

    async def oldest_due_s(self, now: datetime) -> float:
        """Return the age of the oldest delivery that is due, 0 if there is none.

        Only of active endpoints that can be sent to: not of those whose receiver fails, or asks for a rest,
        and not of those with a rate. One that rests without a failure does so for a fault of ours.
        """
        query = {
            "state": _ACTIVE,
            "next_due_at": {"$lte": now},
            "failures": {"$not": {"$gte": BREAKER_FAILURES}},
            "$or": [{"rest_until": {"$not": {"$gt": now}}}, {"failures": 0}],
            "rate_per_s": None,
        }
        with translated():
            oldest = await self._endpoints.find_one(query, ["next_due_at"], sort=[("next_due_at", 1)])
        return 0.0 if oldest is None else (now - oldest["next_due_at"]).total_seconds()


def _name(group: Mapping[str, Any]) -> str:
    if group["state"] != _ACTIVE:
        return f"paused_{group['reason']}"
    return "failing" if group["fails"] else _ACTIVE
