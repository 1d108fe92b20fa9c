"""Early events: held, released in the order of the log, expired, replaced, and repeated."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.processing.batch import ConsumedCommand, EventRecord, HoldEnd, Kind, Outcome, Verdicts
from domain.processing.judging import judge
from domain.shipments.commands import Command, ReportStatus
from domain.shipments.early import MAX_HELD
from domain.shipments.event_identity import EventId
from domain.shipments.rejection import RejectionReason
from domain.shipments.shipment import Shipment
from domain.shipments.status import REPORTABLE, Status, can_follow, can_reach
from tests.support.builders import (
    NOON,
    ROUTE,
    amendment,
    consumed,
    creation,
    redelivered,
    report,
    shipment_after,
)

HOLD = timedelta(hours=24)
CREATION = creation()
PICKED_UP, IN_WAREHOUSE, IN_TRANSIT, DELIVERED = (report(status) for status in ROUTE)
CANCELLED = report(Status.CANCELLED, source="api")
CREATED = shipment_after(CREATION)


def accepted(command: ReportStatus, at: datetime) -> ReportStatus:
    return replace(command, received_at=at)


def held(*commands: Command, first: int = 1) -> list[ConsumedCommand]:
    return [consumed(command, offset, hold=HOLD) for offset, command in enumerate(commands, first)]


class Life:
    """A shipment and the records of its events, over batches."""

    def __init__(self, shipment: Shipment | None = CREATED) -> None:
        self.shipment = shipment
        self.records: dict[EventId, EventRecord | None] = {}
        self.next = 1

    def take(self, *commands: Command, hold: timedelta | None = HOLD) -> Verdicts:
        """Judge commands as the next batch, and keep what it leaves."""
        batch = [replace(each, hold=hold) for each in held(*commands, first=self.next)]
        self.next += len(batch)
        known = {each.event_id: self.records.get(each.event_id) for each in commands}
        verdicts = judge(batch, self.shipment, known)
        for event_id, change in verdicts.events.items():
            record = change.record or self.records.get(event_id)
            if record is not None:
                until = None if change.hold_end is not None else record.held_until
                record = replace(record, held_until=until, last_offset=change.last_offset)
            self.records[event_id] = record
        if verdicts.shipment is not None:
            self.shipment = verdicts.shipment.after
        return verdicts

    @property
    def held(self) -> list[EventId]:
        """The ids of the held events."""
        assert self.shipment is not None
        return [each.command.event_id for each in self.shipment.held]

    def outcome(self, command: Command) -> tuple[str, str | None, bool]:
        """Return outcome and reason of an event, and whether it is held."""
        record = self.records[command.event_id]
        assert record is not None
        return record.outcome.value, record.reason, record.held_until is not None


HELD = ("rejected", "INVALID_TRANSITION", True)
REJECTED = ("rejected", "INVALID_TRANSITION", False)
APPLIED = ("applied", None, False)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("following", REPORTABLE)
def test_of_all_pairs_those_are_held_that_lie_further_ahead(status: Status, following: Status) -> None:
    shipment = Shipment(CREATED.tracking_number, "client_001", status, 1, ())
    life = Life(shipment)
    life.take(report(following))
    early = can_reach(status, following) and not can_follow(status, following)
    expected = APPLIED if can_follow(status, following) else HELD if early else REJECTED
    assert life.outcome(report(following)) == expected
    route = [Status.CREATED, *ROUTE]
    assert early == (
        status in route and following in route and route.index(following) > route.index(status) + 1
    )


def test_a_held_event_says_until_when_from_its_acceptance_on() -> None:
    life = Life()
    verdicts = life.take(IN_TRANSIT)
    assert verdicts.verdicts[0].event is not None
    assert verdicts.verdicts[0].event.held_until == IN_TRANSIT.received_at + HOLD
    assert verdicts.shipment is not None
    assert (verdicts.shipment.applied, verdicts.shipment.after.version) == ([], 1)


def test_without_a_hold_nothing_is_held() -> None:
    life = Life()
    verdicts = life.take(IN_TRANSIT, hold=None)
    assert life.outcome(IN_TRANSIT) == REJECTED
    assert verdicts.shipment is None
    change = verdicts.events[IN_TRANSIT.event_id]
    assert (change.hold, change.hold_end) == (None, None)


@pytest.mark.parametrize("batches", [1, 4])
def test_several_in_a_row_are_applied_in_one_go_each_with_a_version(batches: int) -> None:
    life = Life()
    early = (DELIVERED, IN_WAREHOUSE, IN_TRANSIT)
    if batches == 1:
        verdicts = life.take(*early, PICKED_UP)
    else:
        for command in early:
            life.take(command)
        verdicts = life.take(PICKED_UP)
    assert life.shipment is not None
    assert (life.shipment.status, life.shipment.version, life.shipment.held) == (Status.DELIVERED, 5, ())
    published = [each for each in verdicts.verdicts if each.is_published]
    assert [each.consumed.command for each in published] == [PICKED_UP, IN_WAREHOUSE, IN_TRANSIT, DELIVERED]
    assert [each.event.version for each in published if each.event] == [2, 3, 4, 5]
    assert verdicts.shipment is not None
    assert [each.command for each in verdicts.shipment.applied] == [
        PICKED_UP,
        IN_WAREHOUSE,
        IN_TRANSIT,
        DELIVERED,
    ]
    change = verdicts.events[DELIVERED.event_id]
    assert (change.attempts, change.hold_end) == (1 if batches == 4 else 2, HoldEnd.RELEASED)


def test_the_earlier_in_the_log_goes_first_and_the_other_stays_rejected_for_good() -> None:
    first, second = (report(Status.IN_WAREHOUSE, source=source) for source in ("b", "a"))
    life = Life()
    life.take(first, second)
    verdicts = life.take(PICKED_UP)
    assert (life.outcome(first), life.outcome(second), life.held) == (APPLIED, REJECTED, [])
    assert verdicts.events[second.event_id].hold_end is HoldEnd.UNREACHABLE


@pytest.mark.parametrize(
    ("late", "outcome"), [(timedelta(0), APPLIED), (timedelta(milliseconds=1), REJECTED)]
)
def test_a_held_event_expires_by_the_time_of_the_one_that_would_release_it(
    late: timedelta, outcome: tuple[str, str | None, bool]
) -> None:
    life = Life()
    life.take(IN_WAREHOUSE)
    verdicts = life.take(accepted(PICKED_UP, IN_WAREHOUSE.received_at + HOLD + late))
    assert (life.outcome(IN_WAREHOUSE), life.held) == (outcome, [])
    end = HoldEnd.RELEASED if outcome == APPLIED else HoldEnd.EXPIRED
    assert verdicts.events[IN_WAREHOUSE.event_id].hold_end is end


def test_a_resend_takes_no_second_place_and_prolongs_nothing() -> None:
    life = Life()
    life.take(IN_WAREHOUSE)
    verdicts = life.take(accepted(IN_WAREHOUSE, IN_WAREHOUSE.received_at + timedelta(hours=20)))
    assert life.held == [IN_WAREHOUSE.event_id]
    record = life.records[IN_WAREHOUSE.event_id]
    assert record is not None
    assert (record.held_until, record.offset) == (IN_WAREHOUSE.received_at + HOLD, 1)
    assert (verdicts.shipment, verdicts.events[IN_WAREHOUSE.event_id].attempts) == (None, 1)


def test_a_resend_of_a_released_event_is_a_duplicate() -> None:
    life = Life()
    life.take(IN_WAREHOUSE, PICKED_UP)
    assert life.take(IN_WAREHOUSE).verdicts[0].kind is Kind.DUPLICATE


def test_an_expired_event_that_is_sent_again_is_held_again() -> None:
    life = Life()
    life.take(IN_WAREHOUSE)
    again = accepted(IN_WAREHOUSE, IN_WAREHOUSE.received_at + HOLD + timedelta(seconds=1))
    life.take(again)
    record = life.records[IN_WAREHOUSE.event_id]
    assert record is not None
    assert (record.held_until, life.held) == (again.received_at + HOLD, [IN_WAREHOUSE.event_id])


def test_eight_are_held_and_expired_ones_make_room() -> None:
    many = [report(Status.DELIVERED, at=NOON + timedelta(minutes=index)) for index in range(MAX_HELD + 1)]
    life = Life()
    life.take(*many)
    assert life.held == [each.event_id for each in many[:-1]]
    assert life.outcome(many[-1]) == REJECTED
    late = accepted(many[-1], many[0].received_at + HOLD + timedelta(milliseconds=1))
    life.take(late)
    assert life.held == [each.event_id for each in many[1:]]
    assert life.outcome(many[0]) == REJECTED


def test_another_payload_takes_the_place_of_a_held_one() -> None:
    other = replace(IN_WAREHOUSE, notes="the other door")
    life = Life()
    life.take(IN_WAREHOUSE, IN_TRANSIT)
    verdicts = life.take(other)
    assert life.held == [IN_TRANSIT.event_id, IN_WAREHOUSE.event_id]
    assert verdicts.events[IN_WAREHOUSE.event_id].supersedes
    life.take(PICKED_UP)
    assert life.shipment is not None
    assert life.shipment.status is Status.IN_TRANSIT
    record = life.records[IN_WAREHOUSE.event_id]
    assert record is not None
    assert record.fingerprint == consumed(other).fingerprint


def test_another_payload_that_is_legal_is_applied_and_ends_the_hold() -> None:
    same_id = replace(PICKED_UP, event_id=IN_WAREHOUSE.event_id)
    life = Life()
    life.take(IN_WAREHOUSE)
    verdicts = life.take(same_id)
    assert (life.outcome(same_id), life.held) == (APPLIED, [])
    assert verdicts.events[same_id.event_id].hold_end is HoldEnd.REPLACED
    assert life.take(IN_WAREHOUSE).verdicts[0].kind is Kind.CONFLICT


def test_another_payload_that_can_never_be_legal_ends_the_hold() -> None:
    same_id = replace(PICKED_UP, event_id=DELIVERED.event_id)
    life = Life(shipment_after(CREATION, PICKED_UP))
    life.take(DELIVERED)
    life.take(same_id)
    assert (life.outcome(same_id), life.held) == (REJECTED, [])


def test_a_cancelled_shipment_holds_nothing_any_more() -> None:
    life = Life()
    life.take(DELIVERED, IN_TRANSIT)
    life.take(CANCELLED)
    assert (life.outcome(DELIVERED), life.outcome(IN_TRANSIT), life.held) == (REJECTED, REJECTED, [])
    assert life.shipment is not None
    assert life.shipment.status is Status.CANCELLED


@pytest.mark.parametrize("end", [CANCELLED, None])
def test_nothing_is_held_for_a_shipment_that_has_ended(end: ReportStatus | None) -> None:
    life = Life(shipment_after(CREATION, *([end] if end else map(report, ROUTE))))
    for status in REPORTABLE:
        again = report(status, source="late")
        life.take(again)
        assert life.outcome(again) == REJECTED


def test_a_condition_or_an_owner_is_about_the_present_and_is_not_held() -> None:
    life = Life()
    versioned = replace(DELIVERED, expected_versions=(1,))
    owned = replace(IN_TRANSIT, on_behalf_of="client_001")
    life.take(versioned, owned)
    assert (life.outcome(versioned), life.outcome(owned), life.held) == (REJECTED, REJECTED, [])


def test_an_amendment_releases_nothing_and_keeps_what_is_held() -> None:
    life = Life()
    life.take(IN_TRANSIT)
    life.take(amendment())
    assert (life.held, life.outcome(IN_TRANSIT)) == ([IN_TRANSIT.event_id], HELD)


def test_an_event_of_no_shipment_is_not_held() -> None:
    life = Life(None)
    life.take(DELIVERED)
    assert life.outcome(DELIVERED) == ("rejected", RejectionReason.SHIPMENT_NOT_FOUND, False)


def test_a_replayed_releaser_publishes_what_it_released_after_itself_once_each() -> None:
    life = Life()
    batch = held(IN_TRANSIT, IN_WAREHOUSE, PICKED_UP)
    first = life.take(IN_TRANSIT, IN_WAREHOUSE, PICKED_UP)
    again = judge(redelivered(batch), life.shipment, life.records)
    published = [each.consumed.command for each in again.verdicts if each.is_published]
    assert published == [PICKED_UP, IN_WAREHOUSE, IN_TRANSIT]
    assert [each.event.version for each in again.verdicts if each.is_published and each.event] == [2, 3, 4]
    assert published == [each.consumed.command for each in first.verdicts if each.is_published]
    assert (again.events, again.shipment) == ({}, None)


def test_a_replayed_resend_of_a_released_event_publishes_nothing() -> None:
    life = Life()
    life.take(IN_WAREHOUSE, IN_WAREHOUSE, PICKED_UP)
    again = judge(redelivered(held(IN_WAREHOUSE, IN_WAREHOUSE)), life.shipment, life.records)
    assert [each.kind for each in again.verdicts] == [Kind.REPLAYED, Kind.REPLAYED]
    assert not any(each.is_published for each in again.verdicts)


def test_a_waiter_is_told_of_the_hold_at_once_though_the_batch_releases_it() -> None:
    verdicts = Life().take(IN_WAREHOUSE, PICKED_UP)
    told = verdicts.verdicts[0].event
    assert told is not None
    assert (told.outcome, told.held_until) == (Outcome.REJECTED, IN_WAREHOUSE.received_at + HOLD)
    assert [each.kind for each in verdicts.verdicts] == [Kind.JUDGED, Kind.JUDGED, Kind.RELEASED]
