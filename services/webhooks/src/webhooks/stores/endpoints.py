"""The collection of endpoints, with their sealed secrets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument

from domain.ports.core import Document
from domain.ports.queries import Page, Window
from domain.values import value
from domain.webhooks.endpoint import Endpoint, EndpointState, Ordering, PauseReason, Payload
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.queries.lists import NEWEST_FIRST, ListQuery
from storage.mongo.queries.paging import MongoList
from storage.mongo.schema import BY_CLIENT, BY_CREATION, WEBHOOK_ENDPOINTS

MOST_SECRETS: Final = 10
"""Secrets of an endpoint that sign at once; those that are rotated faster end earlier."""

# An allow list: secrets are never read for a response.
_SHOWN: Final = (
    "client_id",
    "url",
    "types",
    "payload",
    "ordering",
    "rate_per_s",
    "description",
    "state",
    "paused_reason",
    "paused_at",
    "failing_since",
    "created_by",
    "created_at",
    "updated_at",
)
_UNTRIED: Final = {"failures": 0, "failing_since": None, "rest_until": None}
_NOT_PAUSED: Final = {"paused_reason": None, "paused_at": None}


@value(kw_only=True)
class SealedSecret:
    """A secret of an endpoint as it is stored.

    Attributes:
        sealed: see `SecretSealer`.
        expires_at: until when it signs too, after a rotation; None for the present one.
    """

    sealed: bytes
    expires_at: datetime | None


@value(kw_only=True)
class EndpointFilter:
    """Filter of endpoints, newest first; None does not filter."""

    client_id: str | None = None
    state: EndpointState | None = None


class MongoEndpointStore:
    """Endpoints in MongoDB. Its calls raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._endpoints = database[WEBHOOK_ENDPOINTS]
        self._list = MongoList(self._endpoints, _SHOWN, id_as="id", time="created_at")

    async def add(self, endpoint: Endpoint, sealed: bytes, *, most: int) -> bool:
        """Add an endpoint; return False if its client has `most` already."""
        of_client = {"client_id": endpoint.client_id}
        with translated():
            if await self._endpoints.count_documents(of_client, limit=most) >= most:
                return False
            await self._endpoints.insert_one(_document_of(endpoint, sealed))
            # Of several that come at once, the last one to count sees all others.
            if await self._endpoints.count_documents(of_client, limit=most + 1) <= most:
                return True
            await self._endpoints.delete_one({"_id": endpoint.endpoint_id})
        return False

    async def get(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint, or None if there is none of that id."""
        with translated():
            document = await self._endpoints.find_one({"_id": endpoint_id}, _SHOWN)
        return None if document is None else endpoint_of(document)

    async def page(self, matching: EndpointFilter, window: Window) -> Page:
        """Return a page of endpoints, in the shape of the API."""
        query: dict[str, Any] = {}
        if matching.client_id is not None:
            query["client_id"] = {"$eq": matching.client_id}
        if matching.state is not None:
            query["state"] = {"$eq": matching.state.value}
        index = BY_CREATION if matching.client_id is None else BY_CLIENT
        listed = ListQuery(query=query, order=NEWEST_FIRST, index=index, counted_by=index)
        with translated():
            return await self._list.page(listed, window)

    async def change(self, endpoint_id: str, changes: Mapping[str, Any], now: datetime) -> Endpoint | None:
        """Change members of an endpoint; return it as it is then, or None if there is none of that id.

        Args:
            endpoint_id: of the endpoint.
            changes: new values by the names of members; see `_update_of` for what `state` and `url` imply.
            now: the time of the change.
        """
        with translated():
            document = await self._endpoints.find_one_and_update(
                {"_id": endpoint_id},
                _update_of(changes, now),
                projection=_SHOWN,
                return_document=ReturnDocument.AFTER,
            )
        return None if document is None else endpoint_of(document)

    async def delete(self, endpoint_id: str) -> bool:
        """Delete an endpoint; return False if there was none of that id."""
        with translated():
            deleted = await self._endpoints.delete_one({"_id": endpoint_id})
        return deleted.deleted_count > 0

    async def note_due(self, endpoint_id: str, now: datetime) -> None:
        """Note that something is due for an endpoint."""
        with translated():
            await self._endpoints.update_one({"_id": endpoint_id}, [{"$set": _due(now)}])

    async def secrets(self, endpoint_id: str, now: datetime) -> tuple[SealedSecret, ...]:
        """Return the secrets that sign at `now`, newest first; none if there is no such endpoint."""
        with translated():
            document = await self._endpoints.find_one({"_id": endpoint_id}, ["secrets"])
        return () if document is None else secrets_of(document, now)

    async def rotate(self, endpoint_id: str, sealed: bytes, *, until: datetime, now: datetime) -> bool:
        """Add a secret; return False if there is no endpoint of that id.

        Args:
            endpoint_id: of the endpoint.
            sealed: the new secret.
            until: when those of before end, if they do not end earlier.
            now: the time of the rotation.
        """
        valid = {"$filter": {"input": "$secrets", "as": "each", "cond": _is_valid("$$each.expires_at", now)}}
        # A null is not the lesser one for $min as an expression.
        ending = {"sealed": "$$each.sealed", "expires_at": {"$min": ["$$each.expires_at", until]}}
        older = {"$map": {"input": valid, "as": "each", "in": ending}} if until > now else []
        newest = [{"sealed": {"$literal": sealed}, "expires_at": None}]
        secrets = {"$slice": [{"$concatArrays": [newest, older]}, MOST_SECRETS]}
        with translated():
            updated = await self._endpoints.update_one(
                {"_id": endpoint_id}, [{"$set": {"secrets": secrets, "updated_at": now}}]
            )
        return updated.matched_count > 0


def _is_valid(expires_at: str, now: datetime) -> Document:
    return {"$or": [{"$eq": [expires_at, None]}, {"$gt": [expires_at, now]}]}


def _document_of(endpoint: Endpoint, sealed: bytes) -> Document:
    return {
        "_id": endpoint.endpoint_id,
        "client_id": endpoint.client_id,
        "url": endpoint.url,
        "types": list(endpoint.types),
        "payload": endpoint.payload.value,
        "ordering": endpoint.ordering.value,
        "rate_per_s": endpoint.rate_per_s,
        "description": endpoint.description,
        "state": endpoint.state.value,
        **_NOT_PAUSED,
        "secrets": [{"sealed": sealed, "expires_at": None}],
        "created_by": endpoint.created_by,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
        **_UNTRIED,
        "next_due_at": None,
        "work": 0,
        "lease": None,
        "epoch": 0,
    }


def _update_of(changes: Mapping[str, Any], now: datetime) -> list[Document]:
    """Return the update of changed members.

    An endpoint that is resumed begins without failures, and is looked at at once; so does one with a new
    URL. One that is paused already keeps its reason.
    """
    set_: Document = {name: {"$literal": new} for name, new in changes.items()}
    set_["updated_at"] = now
    state = changes.get("state")
    if state == EndpointState.PAUSED:
        is_paused = {"$eq": ["$state", EndpointState.PAUSED.value]}
        set_["paused_reason"] = {"$cond": [is_paused, "$paused_reason", PauseReason.MANUAL.value]}
        set_["paused_at"] = {"$cond": [is_paused, "$paused_at", now]}
    if state == EndpointState.ACTIVE:
        set_ |= _NOT_PAUSED
    if state == EndpointState.ACTIVE or "url" in changes:
        beginnings = {"$add": [{"$ifNull": ["$beginnings", 0]}, 1]}
        set_ |= {**_UNTRIED, **_due(now), "beginnings": beginnings}
    return [{"$set": set_}]


def _due(now: datetime) -> Document:
    # Every time is after null for $min as an expression.
    return {"next_due_at": {"$min": ["$next_due_at", now]}, "work": {"$add": ["$work", 1]}}


def endpoint_of(document: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint of a document of the collection."""
    reason = document["paused_reason"]
    return Endpoint(
        endpoint_id=document["_id"],
        client_id=document["client_id"],
        url=document["url"],
        types=tuple(document["types"]),
        payload=Payload(document["payload"]),
        ordering=Ordering(document["ordering"]),
        rate_per_s=document["rate_per_s"],
        description=document["description"],
        state=EndpointState(document["state"]),
        paused_reason=None if reason is None else PauseReason(reason),
        paused_at=document["paused_at"],
        created_by=document["created_by"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        failing_since=document["failing_since"],
    )


def secrets_of(document: Mapping[str, Any], now: datetime) -> tuple[SealedSecret, ...]:
    """Return the secrets of a document of the collection that sign at `now`, newest first."""
    secrets = (
        SealedSecret(sealed=each["sealed"], expires_at=each["expires_at"]) for each in document["secrets"]
    )
    return tuple(each for each in secrets if each.expires_at is None or each.expires_at > now)
