"""Deliveries as those see them who send: what is due, in which order, and how each attempt ended."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import UpdateOne

from domain.values import value
from domain.webhooks.delivery import HELD_FOR, KEPT_FOR, Attempt, DeliveryState
from domain.webhooks.endpoint import Payload
from domain.webhooks.schedule import Resolution
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import WEBHOOK_DELIVERIES, WEBHOOK_MESSAGES

Document = Mapping[str, Any]

MOST_ATTEMPTS_KEPT: Final = 30
_AT_ONCE: Final = 1000
_PENDING: Final = {"state": DeliveryState.PENDING.value}
_FIELDS: Final = ("message_id", "tracking_number", "version", "attempt", "due_at", "created_at")


@value(kw_only=True)
class PendingDelivery:
    """A delivery with its place in the schedule.

    Attributes:
        attempt: number of attempts made since its schedule began.
    """

    delivery_id: str
    message_id: str
    tracking_number: str
    version: int
    attempt: int
    due_at: datetime
    created_at: datetime


@value()
class Result:
    """The end of an attempt at a delivery."""

    delivery: PendingDelivery
    attempt: Attempt
    resolution: Resolution
    at: datetime


class MongoDueDeliveries:
    """Pending deliveries in MongoDB. Its calls raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._deliveries = database[WEBHOOK_DELIVERIES]
        self._messages = database[WEBHOOK_MESSAGES]

    async def pending(self, endpoint_id: str, *, limit: int) -> list[PendingDelivery]:
        """Return pending deliveries of an endpoint in the order in which they fall due."""
        with translated():
            found = (
                self._deliveries.find({"endpoint_id": endpoint_id, **_PENDING}, _FIELDS)
                .sort([("due_at", 1), ("version", 1)])
                .limit(limit)
            )
            return [_pending(document) async for document in found]

    async def first_pending(
        self, endpoint_id: str, tracking_numbers: Collection[str]
    ) -> dict[str, tuple[int, datetime]]:
        """Return, for each shipment, the version of its first pending delivery and when that is due."""
        stages: Sequence[Mapping[str, Any]] = [
            {
                "$match": {
                    "endpoint_id": endpoint_id,
                    "tracking_number": {"$in": list(tracking_numbers)},
                    **_PENDING,
                }
            },
            {"$sort": {"tracking_number": 1, "version": 1}},
            {
                "$group": {
                    "_id": "$tracking_number",
                    "version": {"$first": "$version"},
                    "due_at": {"$first": "$due_at"},
                }
            },
        ]
        with translated():
            return {
                each["_id"]: (each["version"], each["due_at"])
                async for each in await self._deliveries.aggregate(stages)
            }

    async def bodies(self, message_ids: Iterable[str], payload: Payload) -> dict[str, bytes]:
        """Return the bodies of those messages that are still there."""
        with translated():
            found = self._messages.find({"_id": {"$in": list(set(message_ids))}}, [payload.value])
            return {document["_id"]: bytes(document[payload.value]) async for document in found}

    async def defer(self, later: Mapping[str, datetime]) -> None:
        """Set when deliveries are due, by their ids."""
        with translated():
            await self._deliveries.bulk_write(
                [
                    UpdateOne({"_id": each, **_PENDING}, {"$set": {"due_at": due_at}})
                    for each, due_at in later.items()
                ],
                ordered=False,
            )

    async def make_due(self, endpoint_id: str, tracking_number: str, now: datetime) -> None:
        """Make a shipment's deliveries due that have waited for an earlier one, and were never attempted."""
        waiting = {"endpoint_id": endpoint_id, "tracking_number": tracking_number, "attempt": 0, **_PENDING}
        with translated():
            await self._deliveries.update_many({**waiting, "due_at": {"$gt": now}}, {"$set": {"due_at": now}})

    async def record(self, results: Sequence[Result]) -> int:
        """Record how attempts ended, each unless its delivery was changed since it was read.

        Returns:
            The number of results that were recorded.
        """
        with translated():
            written = await self._deliveries.bulk_write(
                [UpdateOne(_as_it_was(each.delivery), _update(each)) for each in results], ordered=False
            )
        return written.matched_count

    async def hold_due(self, endpoint_id: str, now: datetime) -> int:
        """Hold a paused endpoint's deliveries that have fallen due; return how many, 0 if none is left."""
        due = {"endpoint_id": endpoint_id, "due_at": {"$lte": now}, **_PENDING}
        held = {
            "state": DeliveryState.HELD.value,
            "due_at": None,
            "updated_at": now,
            "expires_at": now + HELD_FOR,
        }
        with translated():
            ids = [each["_id"] async for each in self._deliveries.find(due, ["_id"]).limit(_AT_ONCE)]
            result = await self._deliveries.update_many({"_id": {"$in": ids}, **_PENDING}, {"$set": held})
        return result.modified_count


def _pending(document: Document) -> PendingDelivery:
    return PendingDelivery(
        delivery_id=document["_id"],
        message_id=document["message_id"],
        tracking_number=document["tracking_number"],
        version=document["version"],
        attempt=document["attempt"],
        due_at=document["due_at"],
        created_at=document["created_at"],
    )


def _as_it_was(delivery: PendingDelivery) -> Document:
    return {"_id": delivery.delivery_id, "attempt": delivery.attempt, **_PENDING}


def _update(result: Result) -> Document:
    state, due_at = result.resolution.state, result.resolution.due_at
    is_over = state is not DeliveryState.PENDING
    return {
        "$set": {
            "state": state.value,
            "due_at": due_at,
            "attempt": result.delivery.attempt + 1,
            "updated_at": result.at,
            "expires_at": result.delivery.created_at + KEPT_FOR if is_over else None,
        },
        "$push": {"attempts": {"$each": [_attempt(result.attempt)], "$slice": -MOST_ATTEMPTS_KEPT}},
    }


def _attempt(attempt: Attempt) -> Document:
    return {
        "at": attempt.at,
        "status_code": attempt.status_code,
        "duration_ms": attempt.duration_ms,
        "error": None if attempt.error is None else attempt.error.value,
        "response": attempt.response,
    }
