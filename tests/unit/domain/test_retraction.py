"""Retractions: the last event taken back, by whom, and what holds then; never the creation."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import InvalidEventId
from domain.processing.batch import ConsumedCommand, EventRecord, Kind, Verdicts
from domain.processing.judging import judge
from domain.shipments.commands import Command, RetractEvent
from domain.shipments.event_identity import EventId, retraction_event_id
from domain.shipments.retraction import OWN_WITHIN, HistoryEntry
from domain.shipments.shipment import Shipment, decide
from domain.shipments.status import Status
from tests.support.builders import (
    ROUTE,
    amendment,
    checkpoint,
    consumed,
    creation,
    number,
    redelivered,
    report,
    retraction,
)

CREATION = creation()
PICKED_UP, IN_WAREHOUSE, IN_TRANSIT, DELIVERED = JOURNEY = tuple(report(status) for status in ROUTE)
HUB = checkpoint("arrived_at_hub")


class Life:
    """A shipment, its history and the records of its events, over batches."""

    def __init__(self, *commands: Command) -> None:
        self.shipment: Shipment | None = None
        self.records: dict[EventId, EventRecord | None] = {}
        self.history: list[HistoryEntry] = []
        self.batches: list[list[ConsumedCommand]] = []
        self.take(CREATION, *commands)

    def take(self, *commands: Command, hold: timedelta | None = None) -> Verdicts:
        """Judge commands as the next batch, looked up as the processor does, and keep what it leaves."""
        first = sum(map(len, self.batches))
        self.batches.append([consumed(each, first + place, hold=hold) for place, each in enumerate(commands)])
        verdicts = self.judged(self.batches[-1])
        for event_id, change in verdicts.events.items():
            record = change.record or self.records.get(event_id)
            self.records[event_id] = record and replace(record, last_offset=change.last_offset)
        if verdicts.shipment is not None:
            self.shipment = verdicts.shipment.after
        self.history = verdicts.history or []
        return verdicts

    def judged(self, batch: list[ConsumedCommand]) -> Verdicts:
        verdicts = judge(batch, self.shipment, {}, self.history)
        known = {each: self.records.get(each) for each in verdicts.unknown}
        known |= {each.command.event_id: self.records.get(each.command.event_id) for each in batch}
        return judge(batch, self.shipment, known, self.history)

    def outcome(self, command: Command) -> tuple[str, str | None]:
        record = self.records[command.event_id]
        assert record is not None
        return record.outcome.value, record.reason

    @property
    def state(self) -> tuple[str, int, int]:
        """Status, version, and length of the history."""
        assert self.shipment is not None
        return self.shipment.status.value, self.shipment.version, len(self.history)


APPLIED = ("applied", None)
RETRACTED = ("rejected", "RETRACTED")


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
def test_the_status_before_the_last_event_holds_again_and_the_version_rises(together: bool) -> None:  # noqa: FBT001
    wrong, back = DELIVERED, retraction(DELIVERED)
    life = Life(*JOURNEY[:3])
    if together:
        life.take(wrong, back)
    else:
        life.take(wrong)
        life.take(back)
    assert life.state == ("in_transit", 6, 4)
    assert (life.outcome(wrong), life.outcome(back)) == (RETRACTED, APPLIED)
    record = life.records[wrong.event_id]
    assert record is not None
    assert record.version == 5


def test_all_can_be_taken_back_one_after_the_other_but_the_creation() -> None:
    life = Life(*JOURNEY)
    for command in reversed(JOURNEY):
        life.take(retraction(command))
    assert life.state == ("created", 9, 1)
    assert [life.outcome(command) for command in JOURNEY] == [RETRACTED] * 4
    life.take(retraction(CREATION))
    assert life.outcome(retraction(CREATION)) == ("rejected", "NOT_THE_LATEST")
    assert life.state == ("created", 9, 1)


def test_only_the_last_event_of_the_history_can_be_taken_back() -> None:
    life = Life(*JOURNEY[:2])
    life.take(retraction(PICKED_UP))
    assert life.outcome(retraction(PICKED_UP)) == ("rejected", "NOT_THE_LATEST")
    life.take(retraction(IN_WAREHOUSE))
    life.take(retraction(PICKED_UP))  # sent again, it is judged again
    assert (life.outcome(retraction(PICKED_UP)), life.state) == (APPLIED, ("created", 5, 1))


def test_an_amendment_is_no_entry_of_the_history() -> None:
    life = Life(PICKED_UP, amendment())
    life.take(retraction(PICKED_UP))
    assert life.state == ("created", 4, 1)


def test_a_checkpoint_is_taken_back_before_the_status_that_it_followed() -> None:
    life = Life(PICKED_UP, HUB)
    life.take(retraction(PICKED_UP))
    assert life.outcome(retraction(PICKED_UP)) == ("rejected", "NOT_THE_LATEST")
    life.take(retraction(HUB), retraction(PICKED_UP))
    assert (life.outcome(HUB), life.outcome(PICKED_UP)) == (RETRACTED, RETRACTED)
    assert life.state == ("created", 5, 1)
    assert life.shipment is not None
    assert life.shipment.checkpoints == 0


def test_a_cancellation_is_taken_back_to_where_it_came_from() -> None:
    cancelled = report(Status.CANCELLED, source="api")
    life = Life(PICKED_UP, IN_WAREHOUSE, cancelled)
    life.take(retraction(cancelled), IN_TRANSIT)
    assert life.state == ("in_transit", 6, 4)


def test_the_same_event_stays_retracted_and_a_new_instant_is_a_new_event() -> None:
    life = Life(PICKED_UP)
    life.take(retraction(PICKED_UP))
    again = life.take(PICKED_UP, replace(PICKED_UP, notes="otherwise"))
    assert [each.kind for each in again.verdicts] == [Kind.DUPLICATE, Kind.CONFLICT]
    assert (life.outcome(PICKED_UP), life.state[0]) == (RETRACTED, "created")
    later = report(Status.PICKED_UP, at=PICKED_UP.timestamp + timedelta(minutes=5))
    life.take(later)
    assert (life.outcome(later), life.state) == (APPLIED, ("picked_up", 4, 2))


def test_repeating_a_retraction_is_harmless() -> None:
    life = Life(*JOURNEY[:2])
    again = life.take(retraction(IN_WAREHOUSE), retraction(IN_WAREHOUSE))
    assert [each.kind for each in again.verdicts] == [Kind.JUDGED, Kind.DUPLICATE]
    assert life.take(retraction(IN_WAREHOUSE, reason="or so")).verdicts[0].kind is Kind.CONFLICT
    assert life.state == ("picked_up", 4, 2)


@pytest.mark.parametrize(
    ("by", "after", "outcome"),
    [
        ("driver_user_001", OWN_WITHIN, APPLIED),
        ("driver_user_001", OWN_WITHIN + timedelta(milliseconds=1), ("rejected", "FORBIDDEN")),
        ("driver_user_002", timedelta(0), ("rejected", "FORBIDDEN")),
        (None, timedelta(days=90), APPLIED),
    ],
)
def test_a_producer_takes_back_its_own_within_a_day_and_an_admin_any(
    by: str | None, after: timedelta, outcome: tuple[str, str | None]
) -> None:
    life = Life(PICKED_UP)
    back = retraction(PICKED_UP, at=PICKED_UP.received_at + after, reported_by=by)
    life.take(back)
    assert life.outcome(back) == outcome
    assert life.state[0] == ("created" if outcome == APPLIED else "picked_up")


def test_an_event_that_nobody_has_sent_cannot_be_taken_back() -> None:
    life = Life()
    life.take(retraction(PICKED_UP))
    assert life.outcome(retraction(PICKED_UP)) == ("rejected", "EVENT_NOT_FOUND")


def test_a_rejected_event_is_no_entry_of_the_history() -> None:
    life = Life()
    life.take(DELIVERED)
    life.take(retraction(DELIVERED))
    assert life.outcome(retraction(DELIVERED)) == ("rejected", "NOT_THE_LATEST")


def test_a_released_event_can_be_taken_back_and_releases_nothing() -> None:
    life = Life()
    life.take(IN_WAREHOUSE, PICKED_UP, hold=timedelta(hours=24))
    assert life.state == ("in_warehouse", 3, 3)
    life.take(retraction(IN_WAREHOUSE))
    assert (life.outcome(IN_WAREHOUSE), life.state) == (RETRACTED, ("picked_up", 4, 2))


def test_a_held_event_waits_through_a_retraction() -> None:
    life = Life(PICKED_UP)
    life.take(IN_TRANSIT, hold=timedelta(hours=24))
    life.take(retraction(PICKED_UP))
    later = report(Status.PICKED_UP, at=PICKED_UP.timestamp + timedelta(minutes=5))
    life.take(later, IN_WAREHOUSE)
    assert life.state == ("in_transit", 6, 4)


def test_both_the_event_and_its_retraction_are_published_when_their_batch_is_repeated() -> None:
    life = Life()
    first = life.take(PICKED_UP, retraction(PICKED_UP))
    again = life.judged(redelivered(life.batches[-1]))
    for verdicts in (first, again):
        published = [each for each in verdicts.verdicts if each.is_published]
        assert [each.consumed.command for each in published] == [PICKED_UP, retraction(PICKED_UP)]
        assert [each.event.version for each in published if each.event] == [2, 3]
    assert again.events == {}


def test_the_id_of_a_retraction_follows_from_its_event() -> None:
    assert retraction_event_id(PICKED_UP.event_id) == f"{PICKED_UP.event_id}_retracted"
    for text in (f"{PICKED_UP.event_id}_retracted", "evt_", "evt_99M-1_created"):
        with pytest.raises(InvalidEventId):
            retraction_event_id(EventId(text))


def test_a_retraction_is_not_decided_by_the_shipment_alone() -> None:
    command: RetractEvent = retraction(report(Status.PICKED_UP, number(3)))
    with pytest.raises(TypeError):
        decide(None, command)
