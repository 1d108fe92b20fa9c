"""Histories for retractions: of the document, and of the audit log what the document keeps no longer."""

from collections.abc import Mapping

import pymongo

from domain.processing.batch import Outcome
from domain.shipments.event_identity import trail_prefix
from domain.shipments.retraction import HistoryEntry
from domain.shipments.tracking_number import TrackingNumber
from storage.mongo.checkpoints import CHECKPOINT, COUNT, kept_checkpoints
from storage.mongo.database import Database
from storage.mongo.documents import Document
from storage.mongo.schema import BY_ID, SHIPMENTS, STATUS_EVENTS
from storage.mongo.shipment_documents import HISTORY_PROJECTION, history_of

_AFTER_ALL = "~"


class HistoryLoader:
    """Reader of histories from both collections."""

    def __init__(self, database: Database) -> None:
        self._shipments = database[SHIPMENTS]
        self._events = database[STATUS_EVENTS]

    async def load(
        self, retractions: Mapping[TrackingNumber, int]
    ) -> dict[TrackingNumber, list[HistoryEntry]]:
        """See `ShipmentStore.load_histories`."""
        found = await self._shipments.find({"_id": {"$in": list(retractions)}}, HISTORY_PROJECTION).to_list()
        return {
            document["_id"]: history_of(document, await self._lost(document, retractions[document["_id"]]))
            for document in found
        }

    async def _lost(self, document: Document, retractions: int) -> list[Document]:
        """Return the last checkpoints that the ring has lost, oldest first; none where it has enough."""
        kept = len(kept_checkpoints(document))
        if document.get(COUNT, 0) == kept or kept > retractions:
            return []
        prefix = trail_prefix(document["_id"])
        standing = {
            "_id": {"$gt": prefix, "$lt": f"{prefix}{_AFTER_ALL}"},
            CHECKPOINT: {"$exists": True},
            "outcome": Outcome.APPLIED.value,
        }
        latest_first = [("version", pymongo.DESCENDING)]
        cursor = self._events.find(standing, ["status"], sort=latest_first, hint=BY_ID)
        found = await cursor.skip(kept).limit(retractions + 1).to_list()
        return [{"event_id": each["_id"], "status": each["status"]} for each in reversed(found)]
