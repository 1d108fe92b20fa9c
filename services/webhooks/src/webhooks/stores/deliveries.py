"""The collection of deliveries: one per change and endpoint."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import islice
from typing import Final

from domain.values import value
from domain.webhooks.delivery import HELD_FOR, DeliveryState, delivery_id
from domain.webhooks.message import Change
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import WEBHOOK_DELIVERIES
from webhooks.stores.inserting import Document, insert_new

_INSERTED_AT_ONCE: Final = 1000


@value()
class NewDelivery:
    """A change that an endpoint is to be sent; held if that is paused."""

    change: Change
    endpoint_id: str
    is_held: bool


class MongoDeliveryStore:
    """Deliveries in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._deliveries = database[WEBHOOK_DELIVERIES]

    async def insert(self, deliveries: Iterable[NewDelivery], now: datetime) -> int:
        """Insert deliveries that are due now, or held; those that are there already stay as they are.

        Returns:
            The number of those that are held, and were not there before.

        Raises:
            StoreUnavailable: some may be missing.
        """
        documents = (_document(delivery, now) for delivery in deliveries)
        held = 0
        while chunk := list(islice(documents, _INSERTED_AT_ONCE)):
            inserted = await insert_new(self._deliveries, chunk)
            held += sum(each["state"] == DeliveryState.HELD for each in inserted)
        return held

    async def delete_of(self, endpoint_ids: Collection[str]) -> None:
        """Delete all deliveries of endpoints.

        Raises:
            StoreUnavailable: some may still be there.
        """
        with translated():
            await self._deliveries.delete_many({"endpoint_id": {"$in": list(endpoint_ids)}})


def _document(delivery: NewDelivery, now: datetime) -> Document:
    change = delivery.change
    state = DeliveryState.HELD if delivery.is_held else DeliveryState.PENDING
    return {
        "_id": delivery_id(delivery.endpoint_id, change.change_id),
        "endpoint_id": delivery.endpoint_id,
        "message_id": change.change_id,
        "client_id": change.client_id,
        "type": change.type,
        "tracking_number": change.tracking_number,
        "version": change.version,
        "state": state.value,
        "due_at": None if delivery.is_held else now,
        "attempt": 0,
        "attempts": [],
        "created_at": now,
        "updated_at": now,
        "expires_at": now + HELD_FOR if delivery.is_held else None,
    }
