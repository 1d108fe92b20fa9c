"""`DeadLetterIndex`: a dead letter is noted once, and read as it was noted."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace

import pytest

from domain.dead_letters import DeadLetterEntry, Place, dead_letter_id
from domain.ports import DeadLetterIndex, Document
from domain.status import Status
from tests.support.builders import NOON, NUMBER, RECORDED_AT, report
from tests.support.fakes import Documents, InMemoryDeadLetterIndex

ENTRY = DeadLetterEntry(
    id=dead_letter_id(Place(3, 17)),
    reason="unprocessable",
    error="ValueError: bug",
    attempts=5,
    topic="shipments.events",
    partition=1,
    offset=41,
    timestamp=NOON,
    key=NUMBER,
    event_id=report(Status.PICKED_UP).event_id,
    tracking_number=NUMBER,
    recorded_at=RECORDED_AT,
    value_preview="{\0\ufffd",
)
UNREADABLE = replace(ENTRY, id=dead_letter_id(Place(0, 0)), key=None, event_id=None, tracking_number=None)


@dataclass(frozen=True, slots=True)
class Index:
    """The index, and all that stands in it."""

    index: DeadLetterIndex
    read: Callable[[], Awaitable[list[Document]]]


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.stack)])
def noted(request: pytest.FixtureRequest) -> Index:
    if request.param == "memory":
        documents = Documents()

        async def kept() -> list[Document]:
            return list(documents.dead_letters.values())

        return Index(InMemoryDeadLetterIndex(documents), kept)
    from storage.dead_letters import MongoDeadLetterIndex  # noqa: PLC0415  # only with the stack
    from storage.schema import DEAD_LETTERS  # noqa: PLC0415  # only with the stack

    database = request.getfixturevalue("database")

    async def stored() -> list[Document]:
        found = await database[DEAD_LETTERS].find().to_list()
        return [{"id": document.pop("_id")} | document for document in found]

    return Index(MongoDeadLetterIndex(database), stored)


@pytest.mark.parametrize("entry", [ENTRY, UNREADABLE], ids=["readable", "unreadable"])
async def test_a_dead_letter_is_read_as_it_was_noted(noted: Index, entry: DeadLetterEntry) -> None:
    await noted.index.record(entry)
    assert await noted.read() == [asdict(entry)]


async def test_a_dead_letter_is_noted_once(noted: Index) -> None:
    await noted.index.record(ENTRY)
    await noted.index.record(replace(ENTRY, error="another", recorded_at=NOON))
    assert await noted.read() == [asdict(ENTRY)]
