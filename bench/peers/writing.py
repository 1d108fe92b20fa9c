"""A batch of events into MongoDB with the asynchronous driver, for the two peers that run on asyncio."""

import job
from pymongo import AsyncMongoClient


class Writer:
    """Two reads, then two writes, of a batch."""

    def __init__(self) -> None:
        client: AsyncMongoClient[job.Document] = AsyncMongoClient(job.MONGO_URI)
        database = client.get_database(job.DATABASE, write_concern=job.MAJORITY)
        self._shipments = database["shipments"]
        self._events = database["status_events"]

    async def apply(self, events: list[job.Event]) -> list[job.Document]:
        """Apply a batch, and return its messages; a crash between the two writes leaves only the first."""
        seen = {each["_id"] async for each in self._events.find(job.known_events(events), {"_id": 1})}
        found = self._shipments.find(job.shipments_of(events), job.STATE)
        shipments = {each["_id"]: each async for each in found}
        writes = job.judge(events, seen, shipments)
        if writes.shipments:
            await self._shipments.bulk_write(writes.shipments, ordered=False)
        if writes.events:
            await self._events.insert_many(writes.events, ordered=False)
        return writes.messages
