"""Long audit trails: the cost of a page does not depend on the length of the trail."""

import pytest

from domain.ports.queries import EventFilter, Window
from domain.processing.batch import Outcome
from domain.shipments.event_identity import event_id
from storage.mongo.database import Database
from storage.mongo.queries.readers import MongoEventReader
from storage.mongo.queries.totals import REMEMBERED_FROM
from storage.mongo.schema import STATUS_EVENTS
from tests.support.builders import NOON, NUMBER

pytestmark = pytest.mark.stack

LENGTH = 2 * REMEMBERED_FROM
PAGE = 10


@pytest.fixture
async def trail(database: Database) -> Database:
    events = (
        {
            "_id": event_id(NUMBER, NOON, f"scanner-{index}"),
            "tracking_number": NUMBER,
            "timestamp": NOON,
            "outcome": str(Outcome.REJECTED),
        }
        for index in range(LENGTH)
    )
    await database[STATUS_EVENTS].insert_many(events, ordered=False)
    return database


async def looked_at(database: Database) -> list[tuple[str, int]]:
    """Return the queries of the trail since the profiler was enabled, and the index keys they read."""
    found = database["system.profile"].find({"ns": f"{database.name}.{STATUS_EVENTS}"})
    return [(next(iter(each["command"])), each.get("keysExamined", 0)) async for each in found]


async def test_a_long_trail_is_counted_once_and_its_pages_read_no_more_than_they_show(
    trail: Database,
) -> None:
    reader = MongoEventReader(trail)
    await trail.command("profile", 2)
    try:
        window, total = Window(limit=PAGE), 0
        for _ in range(5):
            page = await reader.page(EventFilter(tracking_number=NUMBER), window)
            window, total = Window(limit=PAGE, after=page.last), page.total
            assert (len(page.data), total) == (PAGE, LENGTH)
    finally:
        await trail.command("profile", 0)
    looks = await looked_at(trail)
    assert [command for command, _ in looks].count("aggregate") == 1  # what counts
    assert 0 < max(keys for command, keys in looks if command == "find") <= PAGE + 2
