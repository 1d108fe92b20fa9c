"""The collection of deliveries, as it is read by the management routes."""

from datetime import datetime
from typing import Any, Final

from domain.ports.core import Document
from domain.ports.queries import EVER, Page, Period, Window
from domain.values import value
from domain.webhooks.delivery import DeliveryState
from domain.webhooks.endpoint import Payload
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.queries.lists import NEWEST_FIRST, ListQuery
from storage.mongo.queries.paging import MongoList, shown
from storage.mongo.schema import (
    BY_ENDPOINT,
    BY_ENDPOINT_AND_SHIPMENT,
    WEBHOOK_DELIVERIES,
    WEBHOOK_ENDPOINTS,
    WEBHOOK_MESSAGES,
)

# Allow lists, as everywhere.
_LISTED: Final = (
    "endpoint_id",
    "type",
    "tracking_number",
    "version",
    "state",
    "due_at",
    "attempts",
    "created_at",
    "updated_at",
)
_ID: Final = "id"


@value(kw_only=True)
class DeliveryFilter:
    """Filter of the deliveries of an endpoint, newest first; None and `EVER` do not filter.

    Attributes:
        types: any of these; none: all.
    """

    endpoint_id: str
    state: DeliveryState | None = None
    types: tuple[str, ...] = ()
    tracking_number: str | None = None
    created: Period = EVER


class MongoDeliveryReader:
    """Deliveries in MongoDB, in the shape of the API. Its calls raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._deliveries = database[WEBHOOK_DELIVERIES]
        self._messages = database[WEBHOOK_MESSAGES]
        self._endpoints = database[WEBHOOK_ENDPOINTS]
        self._list = MongoList(self._deliveries, _LISTED, id_as=_ID, time="created_at")

    async def page(self, matching: DeliveryFilter, window: Window) -> Page:
        """Return a page of deliveries, each with its last attempt."""
        with translated():
            page = await self._list.page(_list_of(matching), window)
        for delivery in page.data:
            delivery["last_attempt"] = next(reversed(delivery.pop("attempts")), None)
        return page

    async def get(self, endpoint_id: str, delivery_id: str) -> Document | None:
        """Return a delivery with its attempts, or None if the endpoint has none of that id."""
        with translated():
            found = await self._deliveries.find_one(_one(endpoint_id, delivery_id), [*_LISTED, "message_id"])
        return None if found is None else shown(found, _ID)

    async def body(self, message_id: str, payload: Payload) -> str | None:
        """Return the body of a message as it is sent, or None if it has expired."""
        with translated():
            found = await self._messages.find_one({"_id": message_id}, [payload.value])
        return None if found is None else bytes(found[payload.value]).decode()

    async def restart(self, endpoint_id: str, delivery_id: str, now: datetime) -> bool:
        """Begin the schedule of a delivery again; return False if it is held, or not there any more."""
        restarted = {
            "state": DeliveryState.PENDING.value,
            "due_at": now,
            "attempt": 0,
            "expires_at": None,
            "updated_at": now,
        }
        query = _one(endpoint_id, delivery_id) | {"state": {"$ne": DeliveryState.HELD.value}}
        with translated():
            updated = await self._deliveries.update_one(query, {"$set": restarted})
        return updated.matched_count > 0


def _one(endpoint_id: str, delivery_id: str) -> dict[str, Any]:
    return {"_id": delivery_id, "endpoint_id": endpoint_id}


def _list_of(matching: DeliveryFilter) -> ListQuery:
    query: dict[str, Any] = {"endpoint_id": {"$eq": matching.endpoint_id}}
    bounds = {"$gte": matching.created.start, "$lt": matching.created.end}
    if known := {bound: instant for bound, instant in bounds.items() if instant is not None}:
        query["created_at"] = known
    if matching.types:
        query["type"] = {"$in": list(matching.types)}
    if matching.state is not None:
        query["state"] = {"$eq": matching.state.value}
    if matching.tracking_number is not None:
        query["tracking_number"] = {"$eq": matching.tracking_number}
        index = BY_ENDPOINT_AND_SHIPMENT  # a shipment has few, in whatever state: they are sorted
        return ListQuery(query=query, order=NEWEST_FIRST, index=index, counted_by=index)
    if matching.state is None:
        return ListQuery(query=query, order=NEWEST_FIRST, index=BY_ENDPOINT, counted_by=BY_ENDPOINT)
    # By state there are two ways: newest first until the page is full, or all of the state, sorted. MongoDB
    # tries both: of a million deliveries a few have failed, or most.
    return ListQuery(query=query, order=NEWEST_FIRST)
