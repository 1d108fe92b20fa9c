"""Both rebuilds equal the stored documents, for any batches and faults."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bson import encode
from hypothesis import given

from domain.processing.judging import judge
from domain.shipments.commands import Command
from domain.shipments.event_identity import EventId
from domain.shipments.status import Status
from storage.mongo.documents import Document, event_document
from storage.mongo.shipment_documents import shipment_document
from tests.support.builders import NOON, RECORDED_AT, consumed, consumed_all, creation, report
from tests.support.fakes import Documents
from tests.unit.domain.batch_runner import Step
from tests.unit.domain.test_exactly_once import logs, run, steps
from toolbox.rebuild.audit_fold import rebuilt
from toolbox.rebuild.differences import PROCESSING_TIMES, differences
from toolbox.rebuild.log_fold import Entry, FoldedLog, fold_log, with_holds

SECOND = timedelta(seconds=1)


def shipments_in(documents: Documents) -> dict[str, Document]:
    """Return the shipments as MongoDB keeps them."""
    return {
        number: {("_id" if name == "tracking_number" else name): value for name, value in shipment.items()}
        for number, shipment in documents.shipments.items()
    }


def trails_in(documents: Documents) -> dict[str, dict[EventId, Document]]:
    """Return the events of each shipment as MongoDB keeps them."""
    trails: dict[str, dict[EventId, Document]] = {}
    for event_id, event in documents.events.items():
        kept: dict[str, Any] = {**event, "_id": event["event_id"]}
        del kept["event_id"]
        if not event_id.endswith("_created"):
            del kept["request_key"]
        trails.setdefault(event["tracking_number"], {})[event_id] = kept
    return trails


def entries_by_shipment(log: list[Command]) -> dict[str, list[Entry]]:
    """Return the records of each shipment."""
    found: dict[str, list[Entry]] = {}
    for offset, command in enumerate(log):
        entry = Entry(consumed(command, offset), 0, NOON + offset * SECOND)
        found.setdefault(command.tracking_number, []).append(entry)
    return found


@given(logs, steps)
async def test_the_audit_log_holds_every_shipment_to_the_byte(log: list[Command], script: list[Step]) -> None:
    documents = await run(log, script)
    shipments, trails = shipments_in(documents), trails_in(documents)
    assert shipments.keys() <= trails.keys()
    for number, trail in trails.items():
        made = rebuilt(number, list(trail.values()))
        assert made.faults == ()
        assert made.shipment == shipments.get(number)


@given(logs, steps)
async def test_the_log_holds_all_but_the_times_of_processing(log: list[Command], script: list[Step]) -> None:
    documents = await run(log, script)
    shipments, trails = shipments_in(documents), trails_in(documents)
    folded = {
        number: fold_log(with_holds(entries, trails[number].values()))
        for number, entries in entries_by_shipment(log).items()
    }
    assert {number for number, fold in folded.items() if fold.shipment} == shipments.keys()
    for number, fold in folded.items():
        assert not fold.pending
        assert fold.events.keys() == trails[number].keys()
        for event_id, event in fold.events.items():
            found = trails[number][event_id]
            assert list(differences(found, event, leave_out=PROCESSING_TIMES)) == []
        if fold.shipment is not None:
            assert list(differences(shipments[number], fold.shipment, leave_out=PROCESSING_TIMES)) == []
            assert_times_are_those_of_the_log(fold, log)


async def test_an_early_event_that_came_twice_and_then_with_another_payload_is_folded_as_it_was_held() -> (
    None
):
    early = report(Status.IN_WAREHOUSE)
    log: list[Command] = [
        creation(),
        early,
        early,
        replace(early, notes="something else at the same instant"),
    ]
    documents = await run(log, [])
    trail = trails_in(documents)[early.tracking_number]
    [entries] = entries_by_shipment(log).values()
    folded = fold_log(with_holds(entries, trail.values())).events[early.event_id]
    assert [other["offset"] for other in trail[early.event_id]["other_payloads"]] == [1]
    assert list(differences(trail[early.event_id], folded, leave_out=PROCESSING_TIMES)) == []


def assert_times_are_those_of_the_log(fold: FoldedLog, log: list[Command]) -> None:
    assert fold.shipment is not None
    instants = [line["recorded_at"] for line in fold.shipment["status_history"]]
    offsets = [(instant - NOON) // SECOND for instant in instants]
    ids = [line["event_id"] for line in fold.shipment["status_history"]]
    assert [log[offset].event_id for offset in offsets] == [
        fold.events[each].get("released_by", each) for each in ids
    ]
    assert instants == sorted(instants)
    assert fold.shipment["updated_at"] >= instants[-1]
    assert fold.shipment["updated_at"] < RECORDED_AT


@pytest.mark.parametrize("utc_offset", [None, "-06:00"])
def test_a_rebuilt_shipment_is_the_bytes_of_the_stored_one(utc_offset: str | None) -> None:
    picked_up = replace(report(Status.PICKED_UP), utc_offset=utc_offset)
    log = consumed_all(creation(), picked_up)
    verdicts = judge(log, None, dict.fromkeys(each.command.event_id for each in log))
    assert verdicts.shipment is not None
    stored = shipment_document(verdicts.shipment, recorded_at=RECORDED_AT)
    trail = [
        event_document(change, partition=0, recorded_at=RECORDED_AT) for change in verdicts.events.values()
    ]
    made = rebuilt(stored["_id"], trail)
    assert encode(made.shipment or {}) == encode(stored)
