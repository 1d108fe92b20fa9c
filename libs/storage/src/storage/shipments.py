"""The processor's side of the store: fences, and one transaction per batch (ADR 0002)."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern

from domain.batch import Delivery, EventChange, EventRecord, Plan, ShipmentChange
from domain.errors import CommitUnknown, Fenced, StaleKnowledge, StoreUnavailable
from domain.identity import EventId
from domain.ports import EndOffset, Fence
from domain.shipment import Shipment
from domain.tracking_number import TrackingNumber
from storage import documents
from storage.client import MAJORITY, Database
from storage.documents import Document
from storage.errors import translated
from storage.line import inherited_of, noted_by_owner
from storage.schema import PARTITION_FENCES, SHIPMENTS, STATUS_EVENTS

_DUPLICATE_KEY = 11000
# Owners in a row that have left the offset where they found it; a fence that nobody had was never opened.
_STALLED_OPENS = {
    "$cond": [
        {"$eq": [{"$ifNull": ["$next_offset", 0]}, "$opened_at"]},
        {"$add": [{"$ifNull": ["$stalled_opens", 0]}, 1]},
        0,
    ]
}


class MongoShipmentStore:
    """`ShipmentStore` on MongoDB.

    The transactions of a partition run in one session, whose id stands in the fence. An owner that is killed
    in the middle of one leaves it open, and with it a lock on the fence that MongoDB would keep for a minute
    (`transactionLifetimeLimitSeconds`): the next owner ends that session first.
    """

    def __init__(self, database: Database) -> None:
        self._client = database.client
        self._database = database
        self._sessions: dict[str, AsyncClientSession] = {}
        self._shipments = database[SHIPMENTS]
        self._events = database[STATUS_EVENTS]
        self._fences = database[PARTITION_FENCES]

    async def acquire(self, partition: str, *, owner: str, end_offset: EndOffset) -> Fence:
        """See `ShipmentStore.acquire`."""
        await self._end_session_of_last_owner(partition)
        raised = {
            "epoch": {"$add": [{"$ifNull": ["$epoch", 0]}, 1]},
            "owner": {"$literal": owner},
            "next_offset": {"$ifNull": ["$next_offset", 0]},
            "session": {"$literal": self._new_session(partition).session_id["id"]},
            "stalled_opens": _STALLED_OPENS,
            "opened_at": {"$ifNull": ["$next_offset", 0]},
        }
        with translated():
            document = await self._fences.find_one_and_update(
                {"_id": partition}, [{"$set": raised}], upsert=True, return_document=ReturnDocument.AFTER
            )
        if document is None:
            raise StoreUnavailable(f"the fence of {partition} vanished while it was raised")
        end = await end_offset()
        fence = Fence(partition, document["epoch"], document["next_offset"], inherited_of(document, end))
        if fence.next_offset > end:
            return await self._start_again(fence)
        if fence.next_offset == end and fence.inherited.stalled_opens:
            # There was nothing to do: that is no lack of progress.
            return await self._corrected(fence, {"stalled_opens": 0}, stalled_opens=0)
        return fence

    async def refresh(self, fence: Fence) -> Fence:
        """See `ShipmentStore.refresh`."""
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
                {"_id": {"$in": list(tracking_numbers)}}, documents.SHIPMENT_FIELDS
            ).to_list()
        return {document["_id"]: documents.shipment_of(document) for document in found}

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

    async def commit(self, fence: Fence, plan: Plan, *, recorded_at: datetime) -> Fence:
        """See `ShipmentStore.commit`."""
        async with self._transaction(fence.partition) as session:
            await self._hold(fence, plan.next_offset, session)
            await self._write_events(fence, plan.events, recorded_at, session)
            await self._write_shipments(plan, recorded_at, session)
        return replace(fence, next_offset=plan.next_offset)

    async def bury(
        self, fence: Fence, delivery: Delivery | None, *, next_offset: int, reason: str, recorded_at: datetime
    ) -> Fence:
        """See `ShipmentStore.bury`."""
        async with self._transaction(fence.partition) as session:
            await self._hold(fence, next_offset, session)
            if delivery is not None:
                fields = documents.dead_document(
                    delivery, reason=reason, partition=_number_of(fence.partition), recorded_at=recorded_at
                )
                await self._events.update_one(
                    {"_id": delivery.command.event_id}, {"$setOnInsert": fields}, upsert=True, session=session
                )
        return replace(fence, next_offset=next_offset)

    @asynccontextmanager
    async def _transaction(self, partition: str) -> AsyncIterator[AsyncClientSession]:
        """Run the body in one transaction; a failure before the commit writes nothing.

        What an earlier one may have left open is aborted: a session has one transaction at a time.

        `with_transaction` is not used: it repeats the body for two minutes, on a plan that may be stale by
        then. Repeating is the runtime's part, after a look at the fence.
        """
        session = self._sessions.get(partition) or self._new_session(partition)
        try:
            async with await session.start_transaction(
                read_concern=ReadConcern("snapshot"), write_concern=MAJORITY
            ):
                yield session
        except (BulkWriteError, DuplicateKeyError) as error:
            if _is_duplicate_key(error):
                raise StaleKnowledge(str(error)) from error
            raise StoreUnavailable(f"MongoDB: {error}") from error
        except PyMongoError as error:
            if error.has_error_label("UnknownTransactionCommitResult"):
                raise CommitUnknown(f"MongoDB: {error}") from error
            raise StoreUnavailable(f"MongoDB: {type(error).__name__}: {error}") from error

    def _new_session(self, partition: str) -> AsyncClientSession:
        session = self._sessions[partition] = self._client.start_session()
        return session

    async def _end_session_of_last_owner(self, partition: str) -> None:
        with translated():
            document = await self._fences.find_one({"_id": partition}, {"session": 1})
            if document is not None and "session" in document:
                await self._client.admin.command("killSessions", [{"id": document["session"]}])

    async def _start_again(self, fence: Fence) -> Fence:
        """The topic has been re-created: nothing that was noted of offsets holds for it."""
        fields = {"next_offset": 0, "opened_at": 0, "stalled_opens": 0, "attempt": None}
        fence = await self._corrected(fence, fields, next_offset=0, stalled_opens=0, attempt=None)
        return replace(fence, next_offset=0)

    async def _corrected(self, fence: Fence, fields: dict[str, Any], **inherited: Any) -> Fence:  # noqa: ANN401  # see `replace`
        await noted_by_owner(self._fences, fence, fields)
        return replace(fence, inherited=replace(fence.inherited, **inherited))

    async def _hold(self, fence: Fence, next_offset: int, session: AsyncClientSession) -> None:
        # The offset is part of the condition: if an earlier commit of ours, given up as unknown, went through
        # after all, this plan was made from what stood before it.
        held = await self._fences.update_one(
            {"_id": fence.partition, "epoch": fence.epoch, "next_offset": fence.next_offset},
            # Counted, for what changes nothing locks nothing: an owner would take over beside a redelivery.
            {"$set": {"next_offset": next_offset}, "$inc": {"writes": 1}},
            session=session,
        )
        if held.matched_count == 0:
            raise Fenced(f"{fence.partition} is no longer at epoch {fence.epoch}, offset {fence.next_offset}")

    async def _write_events(
        self, fence: Fence, changes: list[EventChange], recorded_at: datetime, session: AsyncClientSession
    ) -> None:
        partition = _number_of(fence.partition)
        new = [
            documents.event_document(change, partition=partition, recorded_at=recorded_at)
            for change in changes
            if change.is_new
        ]
        await self._insert(STATUS_EVENTS, new, session)
        known = [_event_update(change, partition, recorded_at) for change in changes if not change.is_new]
        found = await self._update(STATUS_EVENTS, known, session)
        if found != len(known):
            # The duplicate filter outlived the store, restored from a backup perhaps. The hint was wrong:
            # counting on it would lose the event.
            raise StaleKnowledge(f"{len(known) - found} events have no record to count on")

    async def _write_shipments(self, plan: Plan, recorded_at: datetime, session: AsyncClientSession) -> None:
        new = [
            documents.shipment_document(change, recorded_at=recorded_at)
            for change in plan.shipments.values()
            if change.before is None
        ]
        changed = [
            _shipment_update(number, change, recorded_at)
            for number, change in plan.shipments.items()
            if change.before is not None
        ]
        await self._insert(SHIPMENTS, new, session)
        await self._update(SHIPMENTS, changed, session)

    async def _insert(self, collection: str, new: list[Document], session: AsyncClientSession) -> None:
        if new:
            await self._write({"insert": collection, "documents": new}, session)

    async def _update(self, collection: str, updates: list[Document], session: AsyncClientSession) -> int:
        """Update documents and return how many of them there are."""
        if not updates:
            return 0
        return int((await self._write({"update": collection, "updates": updates}, session))["n"])

    async def _write(self, command: Document, session: AsyncClientSession) -> Document:
        """Run a write command as it is: the driver's bulk API takes 9 µs more for each document.

        What that would split, more than 16 MiB at once, is refused here (`DocumentTooLarge`): the runtime
        then halves the batch.
        """
        answer = await self._database.command(command, session=session)
        if "writeErrors" in answer:
            raise BulkWriteError(answer)
        return answer


def _shipment_update(number: TrackingNumber, change: ShipmentChange, recorded_at: datetime) -> Document:
    fields = documents.shipment_update(change, recorded_at=recorded_at)
    return _update_of(number, {"$set": fields})


def _event_update(change: EventChange, partition: int, recorded_at: datetime) -> Document:
    update: Document = {
        "$inc": {
            "attempts": change.attempts,
            "duplicates": change.duplicates,
            "conflicts": change.conflicts,
        }
    }
    if change.judged is None:
        update["$set"] = {"last_offset": change.last_offset}
    else:
        update["$set"] = documents.judged_fields(change, partition=partition, recorded_at=recorded_at)
    return _update_of(change.event_id, update)


def _update_of(key: str, update: Document) -> Document:
    return {"q": {"_id": key}, "u": update}


def _number_of(partition: str) -> int:
    return int(partition.rpartition("/")[2])


def _is_duplicate_key(error: BulkWriteError | DuplicateKeyError) -> bool:
    if isinstance(error, DuplicateKeyError):
        return True
    faults = (error.details or {}).get("writeErrors", [])
    return any(fault["code"] == _DUPLICATE_KEY for fault in faults)
