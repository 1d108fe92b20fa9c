"""Shipment store of the processor: fences, and one transaction per batch (ADR 0002)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final

import pymongo
from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

from domain.errors import Fenced, StoreUnavailable
from domain.ports.core import EndOffset, Fence, IsAnother
from domain.processing.batch import ConsumedCommand, EventRecord, Plan
from domain.shipments.event_identity import EventId
from domain.shipments.retraction import HistoryEntry
from domain.shipments.shipment import Shipment
from domain.shipments.tracking_number import TrackingNumber
from storage.mongo import documents, shipment_documents
from storage.mongo.database import Database
from storage.mongo.documents import Document
from storage.mongo.errors import translated
from storage.mongo.processing.histories import HistoryLoader
from storage.mongo.processing.partition_state import ENDED, checkpoint_of, update_as_owner
from storage.mongo.processing.transaction_writer import BatchWrite, TransactionWriter, number_of
from storage.mongo.schema import PARTITION_FENCES, SHIPMENTS, STATUS_EVENTS

_LOCKED_AFTER_S: Final = 0.5
"""Raising an epoch takes a few milliseconds, unless a transaction holds the fence."""
# Owners in a row that made no progress; a new fence was never opened.
_STALLED_OPENS = {
    "$cond": [
        {"$eq": [{"$ifNull": ["$next_offset", 0]}, "$opened_at"]},
        {"$add": [{"$ifNull": ["$stalled_opens", 0]}, 1]},
        0,
    ]
}


class MongoShipmentStore:
    """`ShipmentStore` on MongoDB.

    A transaction of one partition is in a session of that partition, one of several in a shared session. An
    owner that is killed or frozen in the middle of a transaction leaves it open, and with it a lock on the
    fence that MongoDB would keep for a minute (`transactionLifetimeLimitSeconds`). So the fence has the ids
    of both sessions: the next owner ends them if it meets the lock.
    """

    def __init__(self, database: Database) -> None:
        self._client = database.client
        self._database = database
        self._writer = TransactionWriter(database)
        self._shipments = database[SHIPMENTS]
        self._events = database[STATUS_EVENTS]
        self._fences = database[PARTITION_FENCES]
        self._histories = HistoryLoader(database)

    async def acquire(
        self, partition: str, *, owner: str, end_offset: EndOffset, is_another: IsAnother | None = None
    ) -> Fence:
        """See `ShipmentStore.acquire`."""
        document = await self._raise_epoch(partition, owner)
        end = await end_offset()
        fence = Fence(partition, document["epoch"], document["next_offset"], checkpoint_of(document, end))
        if fence.next_offset > end:
            is_new = is_another is None or await is_another()
            return await self._reset_offsets(fence) if is_new else fence
        if fence.next_offset == end and fence.checkpoint.stalled_opens:
            # There was nothing to read: that is no lack of progress.
            return await self._corrected(fence, {"stalled_opens": 0}, stalled_opens=0)
        return fence

    async def refresh(self, fence: Fence) -> Fence:
        """See `ShipmentStore.refresh`."""
        await self._writer.end_failed()
        with translated():
            document = await self._fences.find_one({"_id": fence.partition, "epoch": fence.epoch})
        if document is None:
            raise Fenced(f"{fence.partition} has another owner than epoch {fence.epoch}")
        return replace(fence, next_offset=document["next_offset"])

    async def load(self, tracking_numbers: Collection[TrackingNumber]) -> dict[TrackingNumber, Shipment]:
        """See `ShipmentStore.load`."""
        if not tracking_numbers:
            return {}
        with translated():
            found = await self._shipments.find(
                {"_id": {"$in": list(tracking_numbers)}}, shipment_documents.SHIPMENT_FIELDS
            ).to_list()
        return {document["_id"]: shipment_documents.shipment_of(document) for document in found}

    async def load_histories(
        self, retractions: Mapping[TrackingNumber, int]
    ) -> dict[TrackingNumber, list[HistoryEntry]]:
        """See `ShipmentStore.load_histories`."""
        with translated():
            return await self._histories.load(retractions)

    async def find_events(self, event_ids: Collection[EventId]) -> dict[EventId, EventRecord | None]:
        """See `ShipmentStore.find_events`."""
        records: dict[EventId, EventRecord | None] = dict.fromkeys(event_ids)
        if records:
            with translated():
                found = await self._events.find(
                    {"_id": {"$in": list(records)}}, documents.EVENT_FIELDS
                ).to_list()
            records.update((document["_id"], documents.event_of(document)) for document in found)
        return records

    async def commit(self, plans: Sequence[tuple[Fence, Plan]], *, recorded_at: datetime) -> list[Fence]:
        """See `ShipmentStore.commit`."""
        await self._writer.write([BatchWrite(fence, plan, recorded_at) for fence, plan in plans])
        return [replace(fence, next_offset=plan.next_offset) for fence, plan in plans]

    async def dead_letter(
        self,
        fence: Fence,
        consumed: ConsumedCommand | None,
        *,
        next_offset: int,
        reason: str,
        recorded_at: datetime,
    ) -> Fence:
        """See `ShipmentStore.dead_letter`."""
        session = self._writer.session_of(fence.partition)
        async with self._writer.fenced_transaction([(fence, next_offset)], session):
            if consumed is not None:
                fields = documents.dead_document(
                    consumed, reason=reason, partition=number_of(fence.partition), recorded_at=recorded_at
                )
                event = {"_id": consumed.command.event_id}
                recorded = await self._events.update_one(
                    event, {"$setOnInsert": fields}, upsert=True, session=session
                )
                if recorded.matched_count:
                    other = event | {"fingerprint": {"$ne": consumed.fingerprint}}
                    update = documents.update_with_dead(consumed, reason=reason)
                    await self._events.update_one(other, update, session=session)
        return replace(fence, next_offset=next_offset)

    async def _raise_epoch(self, partition: str, owner: str) -> Document:
        sessions = self._writer.new_sessions(partition)
        raised = {
            "epoch": {"$add": [{"$ifNull": ["$epoch", 0]}, 1]},
            "owner": {"$literal": owner},
            "next_offset": {"$ifNull": ["$next_offset", 0]},
            "sessions": {"$literal": sessions},
            "stalled_opens": _STALLED_OPENS,
            "opened_at": {"$ifNull": ["$next_offset", 0]},
        }
        raise_it = partial(
            self._fences.find_one_and_update,
            {"_id": partition},
            [{"$set": raised}],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        with translated():
            try:
                with pymongo.timeout(_LOCKED_AFTER_S):
                    document = await raise_it()
            except PyMongoError as error:
                if not error.timeout:
                    raise
                document = await self._fences.find_one({"_id": partition, "sessions": sessions})
                if document is None:  # not slow, but locked
                    await self._end_sessions_of_last_owner(partition)
                    document = await raise_it()
        if document is None:
            raise StoreUnavailable(f"the fence of {partition} vanished while it was raised")
        return document

    async def _end_sessions_of_last_owner(self, partition: str) -> None:
        document = await self._fences.find_one({"_id": partition}, {"sessions": 1})
        if document is not None and "sessions" in document:
            await self._client.admin.command("killSessions", [{"id": each} for each in document["sessions"]])

    async def _reset_offsets(self, fence: Fence) -> Fence:
        """Reset the offsets of a fence whose topic has been re-created."""
        fields = {"next_offset": 0, "opened_at": 0, "stalled_opens": 0, "attempt": None, ENDED: False}
        fence = await self._corrected(
            fence, fields, next_offset=0, stalled_opens=0, attempt=None, has_ended=False
        )
        return replace(fence, next_offset=0)

    async def _corrected(self, fence: Fence, fields: dict[str, Any], **corrections: Any) -> Fence:  # noqa: ANN401  # see `replace`
        await update_as_owner(self._fences, fence, fields)
        return replace(fence, checkpoint=replace(fence.checkpoint, **corrections))
