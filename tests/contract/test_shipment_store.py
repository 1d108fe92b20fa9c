"""`ShipmentStore`, its transactions: all of a plan or nothing, and what is read back decides the same."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import StaleKnowledge
from domain.ports.core import ShipmentStore
from domain.processing.batch import EventRecord, Outcome, Plan
from domain.shipments.commands import Command, ReportStatus, ShipmentChanges
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from tests.contract.writing import Storage, Writer, superseded
from tests.support.builders import (
    BOGOTA,
    BOXED,
    HEAVIER,
    LIMA,
    LONGER,
    NOON,
    NUMBER,
    RECORDED_AT,
    ROUTE,
    amendment,
    consumed,
    consumed_all,
    creation,
    number,
    payload_fingerprint,
    plan_for,
    report,
    shipment_after,
)

CREATION = creation(request_key="digest-of-user-and-key")
PICKED_UP = report(Status.PICKED_UP)
OTHER_PICKED_UP = replace(PICKED_UP, notes="another thing of the same instant")
IN_TRANSIT = report(Status.IN_TRANSIT)


def applied(command: Command, *, version: int, offset: int, request_key: str | None = None) -> EventRecord:
    return EventRecord(
        event_id=command.event_id,
        outcome=Outcome.APPLIED,
        reason=None,
        fingerprint=payload_fingerprint(command),
        last_offset=offset,
        version=version,
        client_id="client_001",
        timestamp=command.timestamp,
        request_key=request_key,
        status=command.status if isinstance(command, ReportStatus) else Status.CREATED,
        offset=offset,
        submitted_by=command.submitted_by,
        received_at=command.received_at,
    )


async def test_what_was_applied_is_read_back(store: ShipmentStore) -> None:
    writer = await Writer.of(store)
    await writer.write(CREATION, PICKED_UP)
    assert await store.load([NUMBER, number(2)]) == {NUMBER: shipment_after(CREATION, PICKED_UP)}
    assert await store.find_events([CREATION.event_id, PICKED_UP.event_id, IN_TRANSIT.event_id]) == {
        CREATION.event_id: applied(CREATION, version=1, offset=0, request_key="digest-of-user-and-key"),
        PICKED_UP.event_id: applied(PICKED_UP, version=2, offset=1),
        IN_TRANSIT.event_id: None,
    }


async def test_nothing_asked_for_is_nothing_found(store: ShipmentStore) -> None:
    assert await store.load([]) == {}
    assert await store.find_events([]) == {}


@pytest.mark.parametrize("batch_size", [1, 2, 5])
async def test_a_shipment_is_the_same_in_however_many_batches(store: ShipmentStore, batch_size: int) -> None:
    commands: list[Command] = [CREATION, *(report(status) for status in ROUTE)]
    writer = await Writer.of(store)
    for start in range(0, len(commands), batch_size):
        await writer.write(*commands[start : start + batch_size])
    assert await store.load([NUMBER]) == {NUMBER: shipment_after(*commands)}


async def test_one_batch_may_hold_many_shipments(store: ShipmentStore) -> None:
    numbers = [number(index) for index in range(20)]
    await (await Writer.of(store)).write(*(creation(each) for each in numbers))
    assert await store.load(numbers) == {each: shipment_after(creation(each)) for each in numbers}


async def test_a_rejected_event_is_recorded_with_its_reason(store: ShipmentStore) -> None:
    writer = await Writer.of(store)
    await writer.write(PICKED_UP)
    await writer.write(CREATION, IN_TRANSIT)
    records = await store.find_events([PICKED_UP.event_id, IN_TRANSIT.event_id])
    assert records[PICKED_UP.event_id] == replace(
        applied(PICKED_UP, version=1, offset=0),
        outcome=Outcome.REJECTED,
        reason=RejectionReason.SHIPMENT_NOT_FOUND,
        version=None,
        client_id=None,
    )
    assert records[IN_TRANSIT.event_id] == replace(
        applied(IN_TRANSIT, version=1, offset=2),
        outcome=Outcome.REJECTED,
        reason=RejectionReason.INVALID_TRANSITION,
        version=None,
        current_status=Status.CREATED,
    )


async def test_a_rejected_event_may_be_applied_later(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(PICKED_UP)
    await writer.write(CREATION, PICKED_UP)
    records = await storage.store.find_events([PICKED_UP.event_id])
    assert records[PICKED_UP.event_id] == applied(PICKED_UP, version=2, offset=2)
    document = await storage.events.get(PICKED_UP.event_id)
    assert document is not None
    assert (document["attempts"], document["offset"]) == (2, 2)


@pytest.mark.parametrize("sent", [(None, "-06:00"), ("-06:00", None), ("-06:00", "+05:45")])
async def test_an_event_has_the_offset_that_it_was_judged_with(
    storage: Storage, sent: tuple[str | None, str | None]
) -> None:
    first, second = [replace(PICKED_UP, utc_offset=offset) for offset in sent]
    writer = await Writer.of(storage.store)
    await writer.write(first)
    await writer.write(CREATION, second)
    await writer.write(first)
    event, shipment = (
        await storage.events.get(PICKED_UP.event_id),
        await storage.shipments.get(NUMBER),
    )
    assert event is not None
    assert shipment is not None
    line = shipment["status_history"][1]
    assert (event.get("utc_offset"), line.get("utc_offset")) == (sent[1], sent[1])
    assert ("utc_offset" in event, "utc_offset" in line) == (sent[1] is not None, sent[1] is not None)
    assert (event["attempts"], event["duplicates"], event["conflicts"]) == (2, 1, 0)


async def test_duplicates_and_conflicts_are_counted_on_the_event_they_repeat(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, PICKED_UP, PICKED_UP)
    await writer.write(PICKED_UP, OTHER_PICKED_UP, PICKED_UP, OTHER_PICKED_UP)
    document = await storage.events.get(PICKED_UP.event_id)
    assert document is not None
    assert (document["attempts"], document["duplicates"], document["conflicts"]) == (1, 3, 2)
    assert (document["offset"], document["notes"]) == (1, None)
    records = await storage.store.find_events([PICKED_UP.event_id])
    counted = replace(applied(PICKED_UP, version=2, offset=1), last_offset=6)
    assert records[PICKED_UP.event_id] == counted


async def test_conflicting_payloads_are_kept_each_once_and_only_the_last_eight(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    said = [replace(PICKED_UP, notes=f"$otherwise {index}") for index in range(10)]
    await writer.write(CREATION, PICKED_UP, said[0], said[1], said[0])
    document = await storage.events.get(PICKED_UP.event_id)
    assert document is not None
    assert document["other_payloads"] == [
        superseded(said[1], offset=3, reason="IDEMPOTENCY_CONFLICT"),
        superseded(said[0], offset=4, reason="IDEMPOTENCY_CONFLICT"),
    ]
    for each in said[1:]:
        await writer.write(each, PICKED_UP)
    document = await storage.events.get(PICKED_UP.event_id)
    assert document is not None
    assert [each["notes"] for each in document["other_payloads"]] == [each.notes for each in said[2:]]
    assert (document["attempts"], document["duplicates"], document["conflicts"]) == (1, 9, 12)
    assert (document["outcome"], document["notes"]) == ("applied", None)


async def test_a_rejected_payload_gives_way_to_another_and_is_kept(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    early = replace(PICKED_UP, status=Status.DELIVERED, notes="too early")
    await writer.write(CREATION, early)
    await writer.write(PICKED_UP)
    await writer.write(early)
    document = await storage.events.get(PICKED_UP.event_id)
    assert document is not None
    assert (document["outcome"], document["reason"], document["status"]) == ("applied", None, "picked_up")
    assert (document["attempts"], document["duplicates"], document["conflicts"]) == (2, 0, 1)
    assert document["other_payloads"] == [superseded(early, offset=3, reason="IDEMPOTENCY_CONFLICT")]
    assert (await storage.store.load([NUMBER]))[NUMBER].status is Status.PICKED_UP


async def test_of_two_rejected_payloads_the_last_is_recorded_and_the_other_kept(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    early, earlier = replace(PICKED_UP, notes="a"), replace(PICKED_UP, notes="b")
    await writer.write(early)
    await writer.write(earlier)
    await writer.write(early, earlier, early)
    document = await storage.events.get(PICKED_UP.event_id)
    assert document is not None
    assert (document["outcome"], document["notes"], document["attempts"]) == ("rejected", "a", 5)
    assert document["other_payloads"] == [superseded(earlier, offset=3, reason="SHIPMENT_NOT_FOUND")]


async def test_a_creation_that_does_not_stand_says_what_was_to_be_created(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    heavier = creation(weight_kg=7.0, request_key="digest-of-user-and-key")
    of_another_client = creation(client_id="client_002", request_key="of somebody else")
    await writer.write(CREATION)
    await writer.write(heavier, of_another_client)
    document = await storage.events.get(CREATION.event_id)
    assert document is not None
    same, another = document["other_payloads"]
    assert (same["origin"], same["destination"], same["package"]) == (BOGOTA, LIMA, {"weight_kg": 7.0})
    assert (same["reason"], another["reason"]) == ("IDEMPOTENCY_CONFLICT", "TRACKING_NUMBER_TAKEN")
    assert not another.keys() & {"origin", "destination", "package"}, "its readers are others"
    assert not document.keys() & {"origin", "destination", "package"}


async def test_a_dead_creation_that_gives_way_says_what_was_to_be_created(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    heavier = creation(weight_kg=7.0, request_key="digest-of-user-and-key")
    writer.fence = await storage.store.dead_letter(
        writer.fence, consumed(heavier, 0), next_offset=1, reason="KeyError: 'x'", recorded_at=RECORDED_AT
    )
    writer.offset = 1
    await writer.write(CREATION)
    document = await storage.events.get(CREATION.event_id)
    assert document is not None
    [given_way] = document["other_payloads"]
    assert (given_way["reason"], given_way["package"]) == ("KeyError: 'x'", {"weight_kg": 7.0})


@pytest.mark.parametrize("batch_size", [1, 2, 3, 6])
async def test_amendments_are_merged_the_same_in_however_many_batches(
    storage: Storage, batch_size: int
) -> None:
    changes: list[ShipmentChanges] = [BOXED, LONGER, HEAVIER, {"package": {"dimensions": {"width": 9.0}}}]
    commands: list[Command] = [CREATION]
    for second, each in enumerate([LONGER, *changes]):
        commands.append(amendment(changes=each, at=NOON + timedelta(seconds=second)))
    writer = await Writer.of(storage.store)
    for start in range(0, len(commands), batch_size):
        await writer.write(*commands[start : start + batch_size])
    document = await storage.shipments.get(NUMBER)
    assert document is not None
    dimensions = {"length": 31.5, "width": 9.0, "height": 10.0}
    assert document["package"] == {"weight_kg": 7.5, "dimensions": dimensions}
    assert document["version"] == len(commands) - 1, "the first side came before there were any"
    assert await storage.store.load([NUMBER]) == {NUMBER: shipment_after(CREATION, *commands[2:])}


async def test_an_amendment_that_gives_way_says_what_it_would_have_changed(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    too_late = amendment()
    lighter = amendment(changes={"package": {"weight_kg": 1.5}})
    await writer.write(CREATION, PICKED_UP, replace(too_late, on_behalf_of="client_001"))
    await writer.write(lighter)
    document = await storage.events.get(too_late.event_id)
    assert document is not None
    assert (document["outcome"], document["changes"]) == ("applied", lighter.changes)
    [given_way] = document["other_payloads"]
    assert (given_way["status"], given_way["changes"]) == (None, HEAVIER)
    assert given_way["reason"] == "INVALID_TRANSITION"


async def test_hits_of_the_filter_are_counted(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, PICKED_UP)
    hits = [consumed(PICKED_UP, 2, known_duplicate=True)]
    await writer.commit(plan_for(hits, await storage.store.load([NUMBER])))
    document = await storage.events.get(PICKED_UP.event_id)
    assert document is not None
    assert document["duplicates"] == 1


async def test_a_filter_that_knows_more_than_the_store_stops_the_whole_plan(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, PICKED_UP)
    hits = [consumed(PICKED_UP, 2, known_duplicate=True), consumed(IN_TRANSIT, 3, known_duplicate=True)]
    with pytest.raises(StaleKnowledge):
        await writer.commit(plan_for(hits, await storage.store.load([NUMBER])))
    document = await storage.events.get(PICKED_UP.event_id)
    assert document is not None
    assert document["duplicates"] == 0


async def test_a_plan_without_events_moves_the_fence_alone(store: ShipmentStore) -> None:
    writer = await Writer.of(store)
    await writer.commit(Plan(next_offset=40))
    assert (await store.refresh(writer.fence)).next_offset == 40


async def test_an_event_taken_for_new_that_is_not_stops_the_whole_plan(store: ShipmentStore) -> None:
    """It was rejected before; nobody looked, because the rules allow it now."""
    writer = await Writer.of(store)
    await writer.write(PICKED_UP)
    await writer.write(CREATION)
    fence = writer.fence
    plan = plan_for(
        consumed_all(creation(number(2)), PICKED_UP, first_offset=2), {NUMBER: shipment_after(CREATION)}
    )
    with pytest.raises(StaleKnowledge):
        await store.commit([(fence, plan)], recorded_at=RECORDED_AT)
    assert await store.load([NUMBER, number(2)]) == {NUMBER: shipment_after(CREATION)}
    assert await store.find_events([creation(number(2)).event_id]) == {creation(number(2)).event_id: None}
    assert await store.refresh(fence) == fence
