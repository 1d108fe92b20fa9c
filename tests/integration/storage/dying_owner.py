"""Owns a partition and stops in the middle of a commit, to be killed there: `dying_owner.py URI DATABASE`."""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from domain.batch import EventChange, Plan
from storage.client import open_database
from storage.settings import MongoSettings
from storage.shipments import MongoShipmentStore

PARTITION = "shipments.events/3"


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


async def main(uri: str, name: str) -> None:
    """Take the partition over and begin to commit."""
    async with open_database(MongoSettings(MONGO_URI=uri, MONGO_DB=name)) as database:  # type: ignore[call-arg]  # pydantic's alias
        store = MongoShipmentStore(database)
        fence = await store.acquire(PARTITION, owner="dying", end_offset=end_offset)
        await store.commit(fence, Plan(1, events=Stuck()), recorded_at=datetime.now(UTC))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
