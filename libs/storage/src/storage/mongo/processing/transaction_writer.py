"""Batch writes of partitions, in transactions that are guarded by the partitions' fences (ADR 0002)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from bson.binary import Binary
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from domain.errors import CommitUnknown, Fenced, StaleKnowledge, StoreUnavailable, TransactionAborted
from domain.ports.core import Fence
from domain.processing.batch import EventChange, Plan, ShipmentTransition
from domain.shipments.tracking_number import TrackingNumber
from storage.mongo import documents, shipment_documents
from storage.mongo.database import MAJORITY, Database
from storage.mongo.documents import Document
from storage.mongo.errors import translated
from storage.mongo.processing.failed_transactions import FailedTransactions, id_of
from storage.mongo.schema import PARTITION_FENCES, SHIPMENTS, STATUS_EVENTS

_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class BatchWrite:
    """Plan for one partition, and the fence that it advances."""

    fence: Fence
    plan: Plan
    recorded_at: datetime


class TransactionWriter:
    """Writes batches, all of them or none.

    A transaction of one partition is in a session of that partition, one of several in a shared session.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._failed = FailedTransactions(database.client)
        self._shared = database.client.start_session()
        self._sessions: dict[str, AsyncClientSession] = {}

    async def write(self, batch_writes: Sequence[BatchWrite]) -> None:
        """Write batches of different partitions in one transaction; for errors see `ShipmentStore.commit`."""
        session = self._shared if len(batch_writes) > 1 else self.session_of(batch_writes[0].fence.partition)
        async with self.fenced_transaction(
            [(batch_write.fence, batch_write.plan.next_offset) for batch_write in batch_writes], session
        ):
            await self._write_events(batch_writes, session)
            await self._write_shipments(batch_writes, session)

    @asynccontextmanager
    async def fenced_transaction(
        self, held: Sequence[tuple[Fence, int]], session: AsyncClientSession
    ) -> AsyncIterator[None]:
        """Run the body in a transaction that advances fences to the given offsets; a failure writes nothing.

        Failed transactions are ended first: they may still be open, and lock the documents of this one.

        `with_transaction` is not used: it repeats the body for two minutes, on a plan that may be stale by
        then. The runtime retries, after it has read the fence again.
        """
        try:
            with self._failed.tracked(session):
                await self._failed.end()
                async with await session.start_transaction(
                    read_concern=ReadConcern("snapshot"), write_concern=MAJORITY
                ):
                    await self._hold(held, session)
                    yield
        except (BulkWriteError, DuplicateKeyError) as error:
            if _is_duplicate_key(error):
                raise StaleKnowledge(str(error)) from error
            # A document that MongoDB refuses: of one batch, and the transaction with it is gone.
            raise TransactionAborted(f"MongoDB: {error}") from error
        except PyMongoError as error:
            if error.has_error_label("UnknownTransactionCommitResult"):
                raise CommitUnknown(f"MongoDB: {error}") from error
            aborted = isinstance(error, OperationFailure) and error.has_error_label(
                "TransientTransactionError"
            )
            kind = TransactionAborted if aborted else StoreUnavailable
            raise kind(f"MongoDB: {type(error).__name__}: {error}") from error

    def session_of(self, partition: str) -> AsyncClientSession:
        """Return the session of a partition's transactions."""
        return self._sessions.get(partition) or self._new_session(partition)

    def new_sessions(self, partition: str) -> list[Binary]:
        """Give a partition a new session; return the ids of the sessions that its transactions may be in."""
        return [id_of(self._new_session(partition)), id_of(self._shared)]

    async def end_failed(self) -> None:
        """End failed transactions: from then on their outcome is final.

        Raises:
            StoreUnavailable: MongoDB does not answer.
        """
        with translated():
            await self._failed.end()

    def _new_session(self, partition: str) -> AsyncClientSession:
        session = self._sessions[partition] = self._database.client.start_session()
        return session

    async def _hold(self, held: Sequence[tuple[Fence, int]], session: AsyncClientSession) -> None:
        # The offset is part of the condition: if an earlier transaction of ours with an unknown outcome was
        # committed after all, this plan is based on the state before it.
        updates: list[Document] = [
            {
                "q": {"_id": fence.partition, "epoch": fence.epoch, "next_offset": fence.next_offset},
                # Counted: an update that changes nothing locks nothing, and another owner could take over.
                "u": {"$set": {"next_offset": next_offset}, "$inc": {"writes": 1}},
            }
            for fence, next_offset in held
        ]
        if await self._update(PARTITION_FENCES, updates, session) != len(held):
            positions = ", ".join(
                f"{fence.partition} at epoch {fence.epoch}, offset {fence.next_offset}" for fence, _ in held
            )
            raise Fenced(f"not held any more: {positions}")

    async def _write_events(self, batch_writes: Sequence[BatchWrite], session: AsyncClientSession) -> None:
        new: list[Document] = []
        known: list[Document] = []
        ended: list[Document] = []
        for batch_write in batch_writes:
            partition, recorded_at = number_of(batch_write.fence.partition), batch_write.recorded_at
            for change in batch_write.plan.events:
                if change.is_new:
                    new.append(documents.event_document(change, partition=partition, recorded_at=recorded_at))
                else:
                    # A record that only loses its hold may have expired: nothing is missing then.
                    updates = ended if change.by_another and change.judged is None else known
                    updates.append(_event_update(change, partition, recorded_at))
        await self._insert(STATUS_EVENTS, new, session)
        found = await self._update(STATUS_EVENTS, known, session)
        if found != len(known):
            # The duplicate filter is newer than the store, restored from a backup perhaps. The hint was
            # wrong: trusting it would lose the event.
            raise StaleKnowledge(f"{len(known) - found} events have no record to count on")
        await self._update(STATUS_EVENTS, ended, session)

    async def _write_shipments(self, batch_writes: Sequence[BatchWrite], session: AsyncClientSession) -> None:
        new: list[Document] = []
        changed: list[Document] = []
        for batch_write in batch_writes:
            for number, change in batch_write.plan.shipments.items():
                if change.before is None:
                    new.append(
                        shipment_documents.shipment_document(change, recorded_at=batch_write.recorded_at)
                    )
                else:
                    if (cut := shipment_documents.history_cut(change)) is not None:
                        changed.append(_update_of(number, cut))
                    changed.append(_shipment_update(number, change, batch_write.recorded_at))
        await self._insert(SHIPMENTS, new, session)
        await self._update(SHIPMENTS, changed, session)

    async def _insert(self, collection: str, new: list[Document], session: AsyncClientSession) -> None:
        if new:
            await self._write({"insert": collection, "documents": new}, session)

    async def _update(self, collection: str, updates: list[Document], session: AsyncClientSession) -> int:
        """Update documents and return the number of matches."""
        if not updates:
            return 0
        return int((await self._write({"update": collection, "updates": updates}, session))["n"])

    async def _write(self, command: Document, session: AsyncClientSession) -> Document:
        """Run a write command directly: the driver's bulk API takes 9 µs more for each document.

        A command over 16 MiB, which the bulk API would split, raises `DocumentTooLarge`: the runtime then
        halves the batch.
        """
        response = await self._database.command(command, session=session)
        if "writeErrors" in response:
            raise BulkWriteError(response)
        return response


def number_of(partition: str) -> int:
    """Return the number in `topic/number`."""
    return int(partition.rpartition("/")[2])


def _shipment_update(number: TrackingNumber, change: ShipmentTransition, recorded_at: datetime) -> Document:
    return _update_of(number, shipment_documents.shipment_update(change, recorded_at=recorded_at))


def _event_update(change: EventChange, partition: int, recorded_at: datetime) -> Document:
    if change.judged is None:
        fields: Document = {"last_offset": change.last_offset}
        documents.put_hold(fields, change)
        documents.put_retraction(fields, change)
    else:
        fields = documents.judged_fields(change, partition=partition, recorded_at=recorded_at)
    if change.others or change.supersedes:
        return _update_of(change.event_id, documents.update_with_others(change, fields))
    counted = {
        "attempts": change.attempts,
        "duplicates": change.duplicates,
        "conflicts": change.conflicts,
    }
    update: Document = {"$inc": counted, "$set": fields}
    if change.judged is not None:
        absent = (documents.UTC_OFFSET, *documents.EXPLANATION)
        update["$unset"] = {name: "" for name in absent if name not in fields}
    if not change.by_another:
        return _update_of(change.event_id, update)
    update["$max"] = {"last_offset": fields.pop("last_offset")}
    if change.judged is not None:
        # Its record may be in another partition than this batch: the log may have grown since.
        update["$setOnInsert"] = {"partition": fields.pop("partition")}
    # The record of a released event may have expired: then this one is all of it.
    return _update_of(change.event_id, update) | {"upsert": change.judged is not None}


def _update_of(key: str, update: Document | list[Document]) -> Document:
    """Return an update of one document, as the `update` command takes it.

    Raises:
        ValueError: it is empty. To MongoDB that is a replacement by an empty document, not an update.
    """
    if not update:
        raise ValueError(f"the update of {key} is empty: it would remove all that the document has")
    return {"q": {"_id": key}, "u": update}


def _is_duplicate_key(error: BulkWriteError | DuplicateKeyError) -> bool:
    if isinstance(error, DuplicateKeyError):
        return True
    faults = (error.details or {}).get("writeErrors", [])
    return any(fault["code"] == _DUPLICATE_KEY for fault in faults)
