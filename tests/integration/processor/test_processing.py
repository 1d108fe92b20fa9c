"""The real processor on real servers: calm days, poison, and topics that are re-created."""

import json
from dataclasses import replace

import pytest
from aiokafka.structs import ConsumerRecord

from domain.shipments.commands import Command
from domain.shipments.status import Status
from messaging import codec
from messaging.topics import ensure_topics
from storage.mongo.schema import PARTITION_FENCES, SHIPMENTS, STATUS_EVENTS
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.builders import NUMBER, ROUTE, creation, number, report
from tests.support.history import violations
from tests.support.site import Site, processing
from tests.support.topics import admin_of, end_offsets, read_topic, write_values
from tests.support.waiting import wait_for

pytestmark = pytest.mark.stack

PICKED_UP = report(Status.PICKED_UP)
JOURNEY: list[Command] = [creation(), *(report(status) for status in ROUTE)]
KEY = NUMBER.encode()


async def ids_in(site: Site, topic: str) -> list[str]:
    """Return the ids of the messages of a topic."""
    return [json.loads(record.value)["id"] for record in await read_topic(site.kafka, topic)]


def headers_of(record: ConsumerRecord) -> dict[str, str]:
    """Return the headers of a dead letter."""
    return {name: value.decode() for name, value in record.headers}


async def test_a_batch_in_which_one_shipment_moves_through_all_its_states(site: Site) -> None:
    await site.send(JOURNEY)
    async with processing(site):
        await site.finished()
    assert await site.violations(JOURNEY) == []
    shipment = await site.database[SHIPMENTS].find_one({"_id": NUMBER})
    assert shipment is not None
    assert [line["status"] for line in shipment["status_history"]] == ["created", *ROUTE]
    assert len({line["recorded_at"] for line in shipment["status_history"]}) == 1, "one transaction"
    fences = [fence["next_offset"] async for fence in site.database[PARTITION_FENCES].find()]
    assert sorted(fences) == [0, len(JOURNEY)]


async def test_applied_events_are_published_in_the_derived_topics(site: Site) -> None:
    await site.send([*JOURNEY, JOURNEY[1], report(Status.CANCELLED)])
    async with processing(site):
        await site.finished()
    ids = [command.event_id for command in JOURNEY]
    assert await ids_in(site, site.topics.changes) == ids
    assert await ids_in(site, site.topics.created) == ids[:1]
    assert await ids_in(site, site.topics.delivered) == ids[-1:]
    assert await ids_in(site, site.topics.location) == []


@pytest.mark.fault(Row.DISORDER, Row.DUPLICATES)
async def test_a_mixed_day_ends_as_the_rules_say(site: Site) -> None:
    day = traffic(60)
    async with processing(replace(site, max_batch=50)):
        await site.send(day)
        await site.finished()
    assert await site.violations(day) == []
    outcomes = await site.database[STATUS_EVENTS].distinct("outcome")
    assert set(outcomes) == {"applied", "rejected"}


@pytest.mark.fault(Row.POISON)
async def test_a_record_that_cannot_be_read_is_kept_and_its_neighbours_are_applied(site: Site) -> None:
    events = site.topics.events
    await site.send(JOURNEY[:1])
    [first] = await read_topic(site.kafka, events)
    await write_values(
        site.kafka, events, [(KEY, b"\xff{not json"), (KEY, None), (None, b"{}")], first.partition
    )
    await site.send(JOURNEY[1:2])
    async with processing(site):
        await site.finished()
    assert await site.violations(JOURNEY[:2]) == []
    dead_letters = await read_topic(site.kafka, site.topics.dead_letters)
    dead_letters.sort(key=lambda record: int(headers_of(record)["dlq-offset"]))
    assert [(dead_letter.key, dead_letter.value) for dead_letter in dead_letters] == [
        (KEY, b"\xff{not json"),
        (KEY, b""),
        (b"", b"{}"),
    ]
    headers = headers_of(dead_letters[0])
    assert headers.pop("dlq-error").startswith("Invalid JSON")
    assert int(headers.pop("dlq-timestamp")) > 0
    assert headers == {
        "dlq-reason": "unreadable",
        "dlq-topic": events,
        "dlq-partition": str(first.partition),
        "dlq-offset": "1",
        "dlq-attempts": "1",
    }


@pytest.mark.fault(Row.POISON)
async def test_a_dead_event_that_can_be_read_is_recorded_as_dead(site: Site) -> None:
    async with processing(site):
        await site.send(JOURNEY[:2])
        await site.finished()
        # Somebody deleted a line of the audit log: the event stands in a history without a record.
        await site.database[STATUS_EVENTS].delete_one({"_id": PICKED_UP.event_id})
        await site.send([replace(PICKED_UP, notes="again"), JOURNEY[2]])
        await site.finished()
    dead = await site.database[STATUS_EVENTS].find_one({"_id": PICKED_UP.event_id})
    assert dead is not None
    assert (dead["outcome"], dead["attempts"], dead["offset"]) == ("dead", 1, 2)
    assert "has no record" in dead["reason"]
    [dead_letter] = await read_topic(site.kafka, site.topics.dead_letters)
    assert codec.decode(dead_letter.value).command.event_id == PICKED_UP.event_id
    shipment = await site.database[SHIPMENTS].find_one({"_id": NUMBER})
    assert shipment is not None
    assert shipment["current_status"] == "in_warehouse"


@pytest.mark.fault(Row.DISORDER)
async def test_a_rejected_event_that_is_sent_again_is_judged_again(site: Site) -> None:
    in_transit = report(Status.IN_TRANSIT)
    sent = [JOURNEY[0], in_transit, in_transit, *JOURNEY[1:3], in_transit, in_transit]
    async with processing(site):
        for command in sent:
            await site.send([command])
        await site.finished()
    assert await site.violations(sent) == []
    event = await site.database[STATUS_EVENTS].find_one({"_id": in_transit.event_id})
    assert event is not None
    assert (event["outcome"], event["attempts"], event["duplicates"]) == ("applied", 3, 2)


@pytest.mark.fault(Row.DISORDER)
async def test_without_a_hold_an_early_event_waits_for_its_sender(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARLY_EVENTS_HOLD_HOURS", "0")
    sent = [JOURNEY[0], JOURNEY[3], JOURNEY[3], *JOURNEY[1:3]]
    async with processing(site):
        await site.send(sent)
        await site.finished()
    observed = await site.observed()
    assert violations(observed, hold=None) == []
    assert observed.shipments[NUMBER]["current_status"] == "in_warehouse"
    names = {"held", "held_until", "hold", "released", "released_by"}
    documents = [*observed.shipments.values(), *observed.events.values()]
    assert not any(names & document.keys() for document in documents)


@pytest.mark.fault(Row.DISORDER)
async def test_a_held_event_whose_record_has_expired_is_applied_all_the_same(site: Site) -> None:
    async with processing(site):
        await site.send([JOURNEY[0], JOURNEY[3], JOURNEY[2]])
        await site.finished()
        await site.database[STATUS_EVENTS].delete_many({"_id": {"$ne": JOURNEY[0].event_id}})
        await site.send([JOURNEY[1]])
        await site.finished()
        await site.send([JOURNEY[3]])
        await site.finished()
    observed = await site.observed()
    shipment, event = observed.shipments[NUMBER], observed.events[JOURNEY[3].event_id]
    assert (shipment["current_status"], shipment["version"], "held" in shipment) == ("in_transit", 4, False)
    assert (event["outcome"], event["attempts"], event["duplicates"]) == ("applied", 1, 1)
    assert (event["version"], event["offset"], event["source"]) == (4, 1, "scanner-1")
    assert not await read_topic(site.kafka, site.topics.dead_letters)


@pytest.mark.fault(Row.DUPLICATES)
async def test_a_contradiction_is_counted_and_never_applied(site: Site) -> None:
    other = replace(PICKED_UP, status=Status.CANCELLED)
    sent = [JOURNEY[0], PICKED_UP, other, other, report(Status.IN_WAREHOUSE)]
    async with processing(site):
        await site.send(sent)
        await site.finished()
    assert await site.violations(sent) == []
    event = await site.database[STATUS_EVENTS].find_one({"_id": PICKED_UP.event_id})
    assert event is not None
    assert (event["status"], event["conflicts"], event["duplicates"]) == ("picked_up", 2, 0)


@pytest.mark.fault(Row.TOPIC_RECREATED)
async def test_new_events_are_applied_after_the_topic_was_recreated(site: Site) -> None:
    before = traffic(20, seed=2)
    async with processing(site):
        await site.send(before)
        await site.finished()
    topic = site.topics.events
    async with admin_of(site.kafka) as admin:
        await admin.delete_topics([topic])
        await ensure_topics_again(site)
    assert set((await end_offsets(site.kafka, topic)).values()) == {0}
    after = [creation(number(index)) for index in range(500, 504)]
    again: list[Command] = [creation(number(0)), report(Status.PICKED_UP, number(500))]
    async with processing(site):
        await site.send([*after, *again])
        await site.finished()
    created = await site.database[SHIPMENTS].count_documents(
        {"_id": {"$in": [number(i) for i in range(500, 504)]}}
    )
    assert created == 4
    repeated = await site.database[STATUS_EVENTS].find_one({"_id": creation(number(0)).event_id})
    assert repeated is not None
    assert repeated["outcome"] == "applied"
    ends = await end_offsets(site.kafka, topic)
    fences = [fence["next_offset"] async for fence in site.database[PARTITION_FENCES].find(sort=[("_id", 1)])]
    assert fences == [ends[0], ends[1]]


async def ensure_topics_again(site: Site) -> None:
    """Make the topics that are missing; Kafka deletes a topic a little after it says so."""

    async def made() -> bool:
        try:
            await ensure_topics(site.kafka)
            ends = await end_offsets(site.kafka, site.topics.events)
        except Exception:  # noqa: BLE001  # whatever Kafka says of a topic that is half gone
            return False
        return set(ends.values()) == {0}

    await wait_for(made, timeout_s=15, what="the new topic")
