"""Dead letters on real servers: noted where operators look, and replayed once what broke them is repaired."""

from collections import Counter

import pytest

import domain.processing.judging
from domain.errors import StoreUnavailable
from domain.processing.dead_letter import RecordPosition, Replay, dead_letter_id
from domain.shipments.shipment import decide
from domain.shipments.status import Status
from storage.mongo.operations.dead_letter_index import MongoDeadLetterIndex
from storage.mongo.schema import DEAD_LETTERS, OPERATOR_ACTIONS, SHIPMENTS, STATUS_EVENTS
from tests.faults.matrix import Row
from tests.integration.processor.replaying import replay
from tests.support.builders import NUMBER, creation, report
from tests.support.crashing.breaking import BREAKING_SOURCE, with_bug
from tests.support.site import Site, processing
from tests.support.topics import read_topic, write_values
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.POISON)]

PICKED_UP = report(Status.PICKED_UP, source=BREAKING_SOURCE)
STORED = report(Status.IN_WAREHOUSE)


async def wait_for_indexed(site: Site, count: int) -> None:
    """Wait until so many dead letters are noted."""

    async def enough() -> bool:
        return await site.database[DEAD_LETTERS].count_documents({}) >= count

    await wait_for(enough, timeout_s=20, what=f"{count} dead letters")


async def replay_actions(site: Site) -> list[tuple[str, str, str]]:
    """Return who replayed which dead letter, and where it stands, having checked what the index says."""
    actions = await site.database[OPERATOR_ACTIONS].find(sort={"at": 1, "_id": 1}).to_list()
    replayed = Counter(action["target"] for action in actions)
    dead_letters = await site.database[DEAD_LETTERS].find().to_list()
    assert {each["_id"]: each["replays"] for each in dead_letters if each["replays"]} == replayed
    assert {each["_id"] for each in dead_letters if each["state"] == "replayed"} == set(replayed)
    return [(each["by"], each["target"], f"{each['details']['offset']}") for each in actions]


async def positions(site: Site) -> list[RecordPosition]:
    """Return where the dead letters stand, oldest first, having checked that exactly those are noted."""
    dead_letters = await read_topic(site.kafka, site.topics.dead_letters)
    found = [RecordPosition(dead_letter.partition, dead_letter.offset) for dead_letter in dead_letters]
    ids = {document["_id"] async for document in site.database[DEAD_LETTERS].find()}
    assert ids == {dead_letter_id(place) for place in found}
    return found


async def test_an_event_that_a_bug_has_killed_is_applied_once_the_bug_is_gone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain.processing.judging, "decide", with_bug(decide))
    async with processing(site):
        await site.send([creation(), PICKED_UP, STORED])
        await site.finished()
    [place] = await positions(site)
    entry = await site.database[DEAD_LETTERS].find_one({"_id": dead_letter_id(place)})
    assert entry is not None
    assert (entry["reason"], entry["error"], entry["attempts"]) == ("unprocessable", "ValueError: a bug", 5)
    assert (entry["event_id"], entry["tracking_number"], entry["offset"]) == (PICKED_UP.event_id, NUMBER, 1)

    monkeypatch.undo()
    await replay(site, place)
    await site.send([STORED])
    async with processing(site):
        await site.finished()
    shipment = await site.database[SHIPMENTS].find_one({"_id": NUMBER})
    assert shipment is not None
    assert [line["status"] for line in shipment["status_history"]] == ["created", "picked_up", "in_warehouse"]
    event = await site.database[STATUS_EVENTS].find_one({"_id": PICKED_UP.event_id})
    assert event is not None
    assert (event["outcome"], event["attempts"]) == ("applied", 2)
    assert await replay_actions(site) == [("ana", dead_letter_id(place), str(event["offset"]))]
    assert await site.violations([creation(), PICKED_UP, PICKED_UP, STORED, STORED]) == []


async def test_a_record_that_nobody_can_read_dies_again_and_does_no_harm(site: Site) -> None:
    await site.send([creation()])
    [first] = await read_topic(site.kafka, site.topics.events)
    await write_values(site.kafka, site.topics.events, [(first.key, b"\xff{")], first.partition)
    async with processing(site):
        await wait_for_indexed(site, 1)
        [place] = await positions(site)
        await replay(site, place)
        await replay(site, place)
        await wait_for_indexed(site, 3)
    again = await positions(site)
    dead_letters = await read_topic(site.kafka, site.topics.dead_letters)
    assert {dead_letter.value for dead_letter in dead_letters} == {b"\xff{"}
    assert [name for name, _ in dead_letters[2].headers].count("dlq-reason") == 1
    entry = await site.database[DEAD_LETTERS].find_one({"_id": dead_letter_id(again[2])})
    assert entry is not None
    assert (entry["event_id"], entry["key"], entry["value_preview"]) == (None, NUMBER, "\ufffd{")
    assert bytes.fromhex(entry["value_hex"]) == b"\xff{"
    assert (entry["replay_of"], entry["state"]) == (dead_letter_id(place), "open")
    assert [action[:2] for action in await replay_actions(site)] == [("ana", dead_letter_id(place))] * 2
    assert len({action[2] for action in await replay_actions(site)}) == 2


async def test_a_replay_is_noted_once_though_its_processor_dies_over_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain.processing.judging, "decide", with_bug(decide))
    async with processing(site):
        await site.send([creation(), PICKED_UP, STORED])
        await site.finished()
    monkeypatch.undo()
    [place] = await positions(site)
    await replay(site, place)
    await site.send([STORED])
    noted_and_lost = MongoDeadLetterIndex.note_replay

    async def dying(index: MongoDeadLetterIndex, replay: Replay) -> None:
        await noted_and_lost(index, replay)
        raise StoreUnavailable("the answer was lost")

    monkeypatch.setattr(MongoDeadLetterIndex, "note_replay", dying)
    async with processing(site):
        await site.finished()
    monkeypatch.undo()
    async with processing(site, "another"):
        await site.committed()
    assert [action[:2] for action in await replay_actions(site)] == [("ana", dead_letter_id(place))]
    assert await site.violations([creation(), PICKED_UP, PICKED_UP, STORED, STORED]) == []
