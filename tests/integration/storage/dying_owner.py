"""Owns partitions and stops in the middle of a commit, to be killed there.

dying_owner.py URI DATABASE PARTITIONS
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from domain.processing.batch import EventChange, Plan
from storage.mongo.database import open_database
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.settings import MongoSettings

PARTITIONS = ("shipments.events/3", "shipments.events/4")


class Stuck(list[EventChange]):
    """Events that are written after the fence is held, and that take for ever."""

    def __iter__(self) -> Iterator[EventChange]:
        sys.stdout.write("in the middle\n")
        sys.stdout.flush()
        time.sleep(600)
        return super().__iter__()


async def end_offset() -> int:
    """Say where the log ends: nowhere beyond its beginning."""
    return 0


async def main(uri: str, name: str, partitions: int) -> None:
    """Take partitions over and begin to commit, together if they are several."""
    async with open_database(MongoSettings(MONGO_URI=uri, MONGO_DB=name)) as database:  # type: ignore[call-arg]  # pydantic's alias
        store = MongoShipmentStore(database)
        fences = [
            await store.acquire(partition, owner="dying", end_offset=end_offset)
            for partition in PARTITIONS[:partitions]
        ]
        plans = [(fence, Plan(1, events=Stuck())) for fence in fences]
        await store.commit(plans, recorded_at=datetime.now(UTC))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
