"""The collection of endpoints, with their sealed secrets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.values import value
from domain.webhooks.endpoint import Endpoint, EndpointState, Ordering, PauseReason, Payload
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import WEBHOOK_ENDPOINTS

Document = Mapping[str, Any]


@value(kw_only=True)
class SealedSecret:
    """A secret of an endpoint as it is stored.

    Attributes:
        sealed: see `SecretSealer`.
        expires_at: until when it signs too, after a rotation; None for the present one.
    """

    sealed: bytes
    expires_at: datetime | None


class MongoEndpointStore:
    """Endpoints in MongoDB. Its calls raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._endpoints = database[WEBHOOK_ENDPOINTS]

    async def get(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint, or None if there is none of that id."""
        with translated():
            document = await self._endpoints.find_one({"_id": endpoint_id})
        return None if document is None else endpoint_of(document)

    async def secrets(self, endpoint_id: str, now: datetime) -> tuple[SealedSecret, ...]:
        """Return the secrets that sign at `now`, newest first; none if there is no such endpoint."""
        with translated():
            document = await self._endpoints.find_one({"_id": endpoint_id}, ["secrets"])
        return () if document is None else secrets_of(document, now)

    async def all(self) -> list[Endpoint]:
        """Return every endpoint."""
        with translated():
            return [endpoint_of(document) async for document in self._endpoints.find()]


def endpoint_of(document: Document) -> Endpoint:
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
    )


def secrets_of(document: Document, now: datetime) -> tuple[SealedSecret, ...]:
    """Return the secrets of a document of the collection that sign at `now`, newest first."""
    secrets = (
        SealedSecret(sealed=each["sealed"], expires_at=each["expires_at"]) for each in document["secrets"]
    )
    return tuple(each for each in secrets if each.expires_at is None or each.expires_at > now)
