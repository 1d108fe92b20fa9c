"""`DeadLetterIndex` and `DeadLetterBin`: dead letters, replays and discards are recorded once."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

import pytest

from domain.ports.core import ActionLog, Document
from domain.ports.dead_letters import DeadLetterBin, DeadLetterIndex
from domain.ports.queries import ActionFilter, Window
from domain.processing.dead_letter import (
    UNTOUCHED,
    DeadLetterEntry,
    Discard,
    Header,
    RecordPosition,
    Replay,
    dead_letter_id,
)
from domain.shipments.status import Status
from storage.mongo.database import Database
from storage.mongo.operations.dead_letter_index import MongoDeadLetterIndex
from storage.mongo.operations.operator_actions import MongoActionLog
from storage.mongo.queries.readers import MongoDeadLetterReader
from storage.mongo.schema import DEAD_LETTERS, mark_older_dead_letters
from tests.support.builders import NOON, NUMBER, RECORDED_AT, report
from tests.support.fakes import Documents, InMemoryActionLog, InMemoryDeadLetterIndex

ENTRY = DeadLetterEntry(
    id=dead_letter_id(RecordPosition(3, 17)),
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
    headers=[Header("traceparent", "00-1"), Header("$odd.", None)],
    replay_of=dead_letter_id(RecordPosition(3, 1)),
)
UNREADABLE = replace(
    ENTRY, id=dead_letter_id(RecordPosition(0, 0)), key=None, event_id=None, tracking_number=None
)


REPLAY = Replay(
    dead_letter_id=ENTRY.id, by="$ana", at=RECORDED_AT, topic="shipments.events", partition=1, offset=77
)
DISCARD = Discard(by="luis", at=RECORDED_AT + timedelta(minutes=1), reason="$nobody needs it")


@dataclass(frozen=True, slots=True)
class Index:
    """The index, all that stands in it, and in the log of actions."""

    index: DeadLetterIndex
    bin: DeadLetterBin
    actions: ActionLog
    read: Callable[[], Awaitable[list[Document]]]

    async def done(self) -> list[tuple[str, str, str, str | None]]:
        """Return who did what to which dead letter and why, oldest first."""
        page = await self.actions.page(ActionFilter(), Window(limit=100))
        return [(each["by"], each["action"], each["target"], each["reason"]) for each in reversed(page.data)]

    async def left(self) -> Document:
        """Return what has become of the one dead letter."""
        [dead_letter] = await self.read()
        return {name: dead_letter[name] for name in UNTOUCHED}


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.stack)])
def noted(request: pytest.FixtureRequest) -> Index:
    if request.param == "memory":
        documents = Documents()

        async def kept() -> list[Document]:
            return list(documents.dead_letters.values())

        index = InMemoryDeadLetterIndex(documents)
        return Index(index, index, InMemoryActionLog(documents), kept)

    database = request.getfixturevalue("database")

    async def stored() -> list[Document]:
        found = await database[DEAD_LETTERS].find().to_list()
        return [{"id": document.pop("_id")} | document for document in found]

    stored_index = MongoDeadLetterIndex(database)
    return Index(stored_index, stored_index, MongoActionLog(database), stored)


@pytest.mark.parametrize("entry", [ENTRY, UNREADABLE], ids=["readable", "unreadable"])
async def test_a_dead_letter_is_read_as_it_was_noted(noted: Index, entry: DeadLetterEntry) -> None:
    await noted.index.record(entry)
    assert await noted.read() == [asdict(entry) | dict(UNTOUCHED)]


async def test_a_dead_letter_is_noted_once(noted: Index) -> None:
    await noted.index.record(ENTRY)
    await noted.index.record(replace(ENTRY, error="another", recorded_at=NOON))
    assert await noted.read() == [asdict(ENTRY) | dict(UNTOUCHED)]


async def test_a_replay_is_noted_once_for_each_place(noted: Index) -> None:
    await noted.index.record(ENTRY)
    again = replace(REPLAY, by="eva", at=RECORDED_AT + timedelta(seconds=1), offset=78)
    for replay in (REPLAY, REPLAY, again, REPLAY):
        await noted.index.note_replay(replay)
    left = await noted.left()
    assert (left["state"], left["replays"], left["discard"]) == ("replayed", 2, None)
    assert left["last_replay"] == {
        "by": "eva",
        "at": again.at,
        "topic": "shipments.events",
        "partition": 1,
        "offset": 78,
    }
    assert await noted.done() == [
        ("$ana", "dead_letter.replayed", "dl_3_17", None),
        ("eva", "dead_letter.replayed", "dl_3_17", None),
    ]
    [_, first] = (await noted.actions.page(ActionFilter(), Window(limit=9))).data
    assert (first["at"], first["details"]) == (
        REPLAY.at,
        {"topic": "shipments.events", "partition": 1, "offset": 77},
    )


async def test_a_replay_of_a_dead_letter_that_was_never_noted_is_an_action_all_the_same(noted: Index) -> None:
    await noted.index.note_replay(REPLAY)
    assert await noted.read() == []
    assert await noted.done() == [("$ana", "dead_letter.replayed", "dl_3_17", None)]


async def test_the_first_discard_stands_and_is_noted_once(noted: Index) -> None:
    await noted.index.record(ENTRY)
    later = replace(DISCARD, at=DISCARD.at + timedelta(minutes=1))
    assert await noted.bin.discard(ENTRY.id, DISCARD) == DISCARD
    assert await noted.bin.discard(ENTRY.id, later) == DISCARD
    assert await noted.bin.discard(ENTRY.id, replace(later, by="eva", reason="mine")) == DISCARD
    assert await noted.left() == dict(UNTOUCHED) | {"state": "discarded", "discard": asdict(DISCARD)}
    assert await noted.done() == [("luis", "dead_letter.discarded", "dl_3_17", "$nobody needs it")]


async def test_what_is_not_there_cannot_be_discarded(noted: Index) -> None:
    assert await noted.bin.discard(ENTRY.id, DISCARD) is None
    assert await noted.done() == []


async def test_what_was_done_last_counts_whenever_it_is_noted(noted: Index) -> None:
    await noted.index.record(ENTRY)
    await noted.bin.discard(ENTRY.id, DISCARD)
    await noted.index.note_replay(REPLAY)
    assert (await noted.left())["state"] == "discarded", "it was replayed before it was discarded"
    await noted.index.note_replay(replace(REPLAY, at=DISCARD.at + timedelta(seconds=1), offset=78))
    left = await noted.left()
    assert (left["state"], left["replays"], left["discard"]) == ("replayed", 2, asdict(DISCARD))
    again = replace(DISCARD, at=DISCARD.at + timedelta(minutes=1))
    assert await noted.bin.discard(ENTRY.id, again) == again
    assert (await noted.left())["state"] == "discarded"
    assert len(await noted.done()) == 4


@pytest.mark.stack
async def test_older_dead_letters_are_open(database: Database) -> None:
    await database[DEAD_LETTERS].insert_one({"_id": ENTRY.id, "reason": "unreadable", "recorded_at": NOON})
    await mark_older_dead_letters(database)
    await MongoDeadLetterIndex(database).note_replay(REPLAY)
    await mark_older_dead_letters(database)
    dead_letter = await MongoDeadLetterReader(database).get(ENTRY.id)
    assert dead_letter is not None
    assert (dead_letter["state"], dead_letter["replays"], dead_letter["headers"]) == ("replayed", 1, [])
