"""The collection of messages: one per change that an endpoint wants, with its bodies as they are sent."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from pydantic_core import to_json

from domain.webhooks.message import Change, full_body, thin_body
from storage.mongo.database import Database
from storage.mongo.schema import WEBHOOK_MESSAGES
from webhooks.stores.inserting import Document, insert_new

KEPT_FOR: Final = timedelta(days=45)
"""A delivery is kept for 30 days after its creation; replayed on the last, it is retried for three more."""


class MongoMessageStore:
    """Messages in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._messages = database[WEBHOOK_MESSAGES]

    async def insert(self, changes: Iterable[Change], now: datetime) -> None:
        """Insert the messages of changes; those that are there already stay as they are.

        Raises:
            StoreUnavailable: some may be missing.
        """
        await insert_new(self._messages, [_document(change, now) for change in changes])


def _document(change: Change, now: datetime) -> Document:
    return {
        "_id": change.change_id,
        "type": change.type,
        "client_id": change.client_id,
        "tracking_number": change.tracking_number,
        "version": change.version,
        "at": change.timestamp,
        "full": to_json(full_body(change)),
        "thin": to_json(thin_body(change)),
        "created_at": now,
        "expires_at": now + KEPT_FOR,
    }
