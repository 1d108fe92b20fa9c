"""Endpoints as fan-out reads them: who wants which changes; and the news that something is due for them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from domain.values import value
from domain.webhooks.endpoint import EndpointState, types_wanted
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import WEBHOOK_ENDPOINTS
from webhooks.stores.inserting import Document
from webhooks.stores.leases import due_at_latest

_FIELDS: Final = ("client_id", "types", "state", "created_at", "updated_at")


@value(kw_only=True)
class Subscription:
    """The changes that an endpoint wants.

    Attributes:
        client_id: whose changes; None: every client's.
        types: the types of messages, none with a pattern.
    """

    endpoint_id: str
    client_id: str | None
    types: frozenset[str]
    is_paused: bool
    created_at: datetime


class MongoSubscriptionStore:
    """Subscriptions in MongoDB. Its calls raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._endpoints = database[WEBHOOK_ENDPOINTS]

    async def all(self) -> list[Subscription]:
        """Return the subscription of every endpoint."""
        return await self._found({})

    async def changed_since(self, instant: datetime) -> list[Subscription]:
        """Return the subscriptions of endpoints that were created or changed since an instant."""
        return await self._found({"updated_at": {"$gte": instant}})

    async def missing(self, endpoint_ids: Collection[str]) -> set[str]:
        """Return those of the ids that no endpoint has."""
        with translated():
            found = await self._endpoints.find({"_id": {"$in": list(endpoint_ids)}}, ["_id"]).to_list()
        return set(endpoint_ids) - {document["_id"] for document in found}

    async def note_due(self, endpoint_ids: Collection[str], now: datetime) -> bool:
        """Note at endpoints that something is due; return False if one of them does not exist."""
        query = {"_id": {"$in": list(endpoint_ids)}}
        with translated():
            result = await self._endpoints.update_many(query, due_at_latest(now))
        return result.matched_count == len(endpoint_ids)

    async def _found(self, query: dict[str, Any]) -> list[Subscription]:
        with translated():
            return [_subscription(document) async for document in self._endpoints.find(query, _FIELDS)]


def _subscription(document: Document) -> Subscription:
    return Subscription(
        endpoint_id=document["_id"],
        client_id=document["client_id"],
        types=types_wanted(document["types"]),
        is_paused=document["state"] == EndpointState.PAUSED,
        created_at=document["created_at"],
    )
