"""Each kind of damage is found by `check`, and named by the shipment and by what is wrong."""

from dataclasses import dataclass

import pytest

from domain.shipments.commands import Command
from domain.shipments.event_identity import creation_event_id
from domain.shipments.status import Status
from storage.mongo.documents import Document
from storage.mongo.schema import SHIPMENTS, STATUS_EVENTS
from tests.integration.rebuilding.day import checked
from tests.support.builders import NOON, NUMBER, amendment, creation, number, report
from tests.support.site import Site, processing
from toolbox.rebuild.comparison import Source

pytestmark = pytest.mark.stack

NEIGHBOUR = number(2)
STORED = report(Status.IN_WAREHOUSE)
JOURNEY: list[Command] = [
    creation(),
    report(Status.PICKED_UP),
    amendment(changes={"package": {"weight_kg": 7.0}}),
    STORED,
    STORED,
]


@dataclass(frozen=True, slots=True)
class Damage:
    """Damage to a collection, and the differences that each source reports."""

    collection: str
    update: Document | list[Document]
    said: tuple[str, ...]
    of: str = NUMBER
    source: Source = Source.BOTH


def lines(*order: int) -> list[Document]:
    """Return the update that reorders the history."""
    return [{"$set": {"status_history": [{"$arrayElemAt": ["$status_history", index]} for index in order]}}]


DAMAGES = {
    "a changed field": Damage(
        SHIPMENTS,
        {"$set": {"origin.coordinates.lat": 1.5}},
        (f"{NUMBER}: origin.coordinates.lat is 1.5, should be 4.6482",),
    ),
    "a whole number for a fraction": Damage(
        SHIPMENTS,
        {"$set": {"package.weight_kg": 7}},
        (f"{NUMBER}: package.weight_kg is 7, should be 7.0",),
        source=Source.AUDIT,
    ),
    "a time of processing": Damage(
        SHIPMENTS,
        {"$set": {"updated_at": NOON}},
        (f"{NUMBER}: updated_at is {NOON!r}, should be",),
        source=Source.AUDIT,
    ),
    "a field too many": Damage(
        SHIPMENTS, {"$set": {"colour": "red"}}, (f"{NUMBER}: colour is 'red', should not be there",)
    ),
    "a field too few": Damage(
        SHIPMENTS, {"$unset": {"client_id": 1}}, (f"{NUMBER}: client_id is missing, should be 'client_001'",)
    ),
    "an amendment undone": Damage(
        SHIPMENTS,
        {"$set": {"package.weight_kg": 2.5}},
        (f"{NUMBER}: package.weight_kg is 2.5, should be 7.0",),
    ),
    "a doubled line": Damage(
        SHIPMENTS,
        lines(0, 1, 1, 2),
        (f"{NUMBER}: status_history is created (", "picked_up (", "should be created"),
    ),
    "swapped lines": Damage(SHIPMENTS, lines(0, 2, 1), (f"{NUMBER}: status_history is created (",)),
    "a lost line": Damage(SHIPMENTS, lines(0, 2), (f"{NUMBER}: status_history is created (",)),
    "another version": Damage(SHIPMENTS, {"$inc": {"version": 1}}, (f"{NUMBER}: version is 5, should be 4",)),
    "a rewritten event": Damage(
        STATUS_EVENTS,
        {"$set": {"source": "somebody else"}},
        (
            f"{NUMBER}: status_history.2.source is 'scanner-1', should be 'somebody else'",
            f"{NUMBER}: event {STORED.event_id}: source is 'somebody else', should be 'scanner-1'",
        ),
        of=STORED.event_id,
    ),
    "a miscounted event": Damage(
        STATUS_EVENTS,
        {"$inc": {"duplicates": 1}},
        (f"{NUMBER}: event {STORED.event_id}: duplicates is 2, should be 1",),
        of=STORED.event_id,
        source=Source.LOG,
    ),
}


@pytest.fixture
async def journeys(site: Site) -> Site:
    """Give two shipments under way, one of them amended, one event sent twice; they can be rebuilt."""
    async with processing(site):
        await site.send([*JOURNEY, creation(NEIGHBOUR), report(Status.PICKED_UP, NEIGHBOUR)])
        await site.finished()
    assert (await checked(site))[1] == []
    return site


async def test_changed_members_are_named(journeys: Site) -> None:
    for kind, damage in DAMAGES.items():
        documents = journeys.database[damage.collection]
        before = await documents.find_one({"_id": damage.of})
        assert before is not None
        await documents.update_one({"_id": damage.of}, damage.update)
        report_, said = await checked(journeys, damage.source)
        assert report_.differences > 0, kind
        for words in damage.said:
            assert words in "\n".join(said), kind
        assert all(line.startswith(f"{NUMBER}: ") for line in said), kind
        await documents.replace_one({"_id": damage.of}, before)
    assert (await checked(journeys))[1] == []


async def test_missing_and_extra_members_are_named(journeys: Site) -> None:
    shipments, events = journeys.database[SHIPMENTS], journeys.database[STATUS_EVENTS]
    first = creation_event_id(NUMBER)

    async def lost(collection: str, identity: str, source: Source) -> list[str]:
        documents = journeys.database[collection]
        before = await documents.find_one_and_delete({"_id": identity})
        assert before is not None
        _, said = await checked(journeys, source)
        await documents.insert_one(before)
        return said

    missing = f"{NUMBER}: is missing, should be in_warehouse at version 4"
    assert await lost(SHIPMENTS, NUMBER, Source.AUDIT) == [missing]
    assert await lost(SHIPMENTS, NUMBER, Source.LOG) == [missing]
    assert await lost(STATUS_EVENTS, first, Source.AUDIT) == [f"{NUMBER}: status_events has no creation"]
    assert await lost(STATUS_EVENTS, first, Source.LOG) == [
        f"{NUMBER}: event {first} is missing, should be applied"
    ]
    gap = await lost(STATUS_EVENTS, report(Status.PICKED_UP).event_id, Source.AUDIT)
    assert gap[0] == f"{NUMBER}: status_events has the versions [1, 3, 4], should have 1 to 4"

    stray = await shipments.find_one({"_id": NUMBER})
    assert stray is not None
    await shipments.insert_one(stray | {"_id": number(77)})
    await events.insert_one(
        {**(await events.find_one({"_id": STORED.event_id}) or {}), "_id": "evt_of nobody"}
    )
    assert min((await checked(journeys, Source.AUDIT))[1]).startswith(
        f"{number(77)}: is there, should not be"
    )
    said = sorted((await checked(journeys, Source.LOG))[1])
    assert said[0] == f"{number(77)}: is there, should not be: nobody created it in the log"
    assert said[1].endswith("event evt_of nobody is applied, should not be there: it is not in the log")
