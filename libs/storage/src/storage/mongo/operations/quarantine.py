"""Quarantined shipments: a collection that operators write and the processor only reads."""

from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession

from domain.processing.halts import Quarantined, QuarantinePut, quarantined, released
from domain.shipments.tracking_number import TrackingNumber
from storage.mongo.database import Database, transacted
from storage.mongo.errors import translated
from storage.mongo.operations.operator_actions import MongoActionLog
from storage.mongo.schema import BY_ID, QUARANTINED_SHIPMENTS


class MongoQuarantineStore:
    """`QuarantineStore` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._actions = MongoActionLog(database)
        self._shipments = database[QUARANTINED_SHIPMENTS]

    async def put(self, entry: Quarantined, *, most: int, standing: bool | None = None) -> QuarantinePut:
        """See `QuarantineStore.put`. Concurrent calls may exceed `most` by a few."""
        fields = {"reason": entry.reason, "since": entry.since, "requested_by": entry.requested_by}

        async def both(session: AsyncClientSession) -> QuarantinePut:
            this, others = {"_id": {"$eq": entry.tracking_number}}, {"_id": {"$ne": entry.tracking_number}}
            if standing is not None:
                found = await self._shipments.count_documents(this, session=session)
                if bool(found) is not standing:
                    return QuarantinePut.UNMET
            if await self._shipments.count_documents(others, session=session) >= most:
                return QuarantinePut.FULL
            await self._shipments.replace_one(this, fields, upsert=True, session=session)
            await self._actions.note(quarantined(entry), session=session)
            return QuarantinePut.DONE

        return await transacted(self._database, both)

    async def remove(self, tracking_number: TrackingNumber, *, by: str, at: datetime) -> bool:
        """See `QuarantineStore.remove`."""

        async def both(session: AsyncClientSession) -> bool:
            removed = await self._shipments.delete_one({"_id": {"$eq": tracking_number}}, session=session)
            if removed.deleted_count:
                await self._actions.note(released(tracking_number, by=by, at=at), session=session)
            return removed.deleted_count == 1

        return await transacted(self._database, both)

    async def entries(self) -> list[Quarantined]:
        """See `QuarantineStore.entries`."""
        with translated():
            found = await self._shipments.find({}, sort=BY_ID).to_list()
        return [
            Quarantined(
                tracking_number=document["_id"],
                reason=document["reason"],
                since=document["since"],
                requested_by=document["requested_by"],
            )
            for document in found
        ]
