"""The statuses before and after each change: a chain without a gap, the same whenever it is published."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.processing.batch import ConsumedCommand, Verdicts
from domain.processing.judging import judge
from domain.shipments.commands import Command
from domain.shipments.event_identity import EventId
from domain.shipments.status import REPORTABLE, TRANSITIONS, Status, predecessor
from domain.webhooks.message import Change
from messaging.change_codec import decode_change, encode_change
from storage.mongo.documents import PREVIOUS_STATUS, event_document, event_of
from tests.support.builders import (
    NOON,
    RECORDED_AT,
    ROUTE,
    amendment,
    checkpoint,
    consumed,
    creation,
    redelivered,
    report,
    retraction,
)

HOLD = timedelta(hours=24)
PICKED_UP, IN_WAREHOUSE, *_ = (report(status) for status in ROUTE)
CANCELLED = report(Status.CANCELLED, source="api")


def logged(commands: Sequence[Command]) -> list[ConsumedCommand]:
    return [consumed(command, offset, hold=HOLD) for offset, command in enumerate(commands)]


def judged(records: Sequence[ConsumedCommand]) -> Verdicts:
    """Judge the whole life of a shipment, as its first batch."""
    return judge(records, None, {each.command.event_id: None for each in records}, [])


def published(verdicts: Verdicts) -> dict[EventId, bytes]:
    return {
        verdict.event.event_id: encode_change(verdict.consumed.command, verdict.event)
        for verdict in verdicts.verdicts
        if verdict.is_published and verdict.event is not None
    }


def repeated(records: Sequence[ConsumedCommand], first: Verdicts) -> dict[EventId, bytes]:
    """Return what is published when the batch is redelivered, from what is stored of it."""
    stored = [
        event_of(event_document(change, partition=0, recorded_at=RECORDED_AT))
        for change in first.events.values()
    ]
    known = dict.fromkeys(each.command.event_id for each in records) | {
        each.event_id: each for each in stored
    }
    return published(judge(redelivered(records), None, known, []))


def changes(messages: dict[EventId, bytes]) -> list[Change]:
    return sorted(map(decode_change, messages.values()), key=lambda change: change.version)


def statuses(*commands: Command) -> list[tuple[str | None, str]]:
    found = changes(published(judged(logged(commands))))
    return [(each.previous_status, each.current_status) for each in found]


def test_each_step_says_where_it_came_from() -> None:
    way = [None, "created", *ROUTE]
    assert statuses(creation(), *(report(status) for status in ROUTE)) == list(pairwise(way))


@pytest.mark.parametrize("reached", [0, 1, 2])
def test_a_cancellation_says_what_was_cancelled(reached: int) -> None:
    before = ["created", *ROUTE][reached]
    way = [report(status) for status in ROUTE[:reached]]
    assert statuses(creation(), *way, CANCELLED)[-1] == (before, "cancelled")


def test_what_changes_no_status_says_the_same_before_and_after() -> None:
    assert statuses(creation(), amendment(), PICKED_UP, checkpoint())[1:] == [
        ("created", "created"),
        ("created", "picked_up"),
        ("picked_up", "picked_up"),
    ]


def test_a_correction_says_what_was_wrong_and_what_holds_again() -> None:
    assert statuses(creation(), PICKED_UP, CANCELLED, retraction(CANCELLED), IN_WAREHOUSE)[2:] == [
        ("picked_up", "cancelled"),
        ("cancelled", "picked_up"),
        ("picked_up", "in_warehouse"),
    ]
    assert statuses(creation(), PICKED_UP, checkpoint(), retraction(checkpoint()))[-1] == (
        "picked_up",
        "picked_up",
    )


def test_a_redelivered_batch_says_the_same() -> None:
    records = logged([creation(), PICKED_UP, CANCELLED, retraction(CANCELLED), IN_WAREHOUSE])
    verdicts = judged(records)
    assert repeated(records, verdicts) == published(verdicts)


def test_ordinary_events_are_stored_as_they_were() -> None:
    records = logged([creation(), amendment(), *(report(status) for status in ROUTE[:3]), checkpoint()])
    for change in judged(records).events.values():
        assert PREVIOUS_STATUS not in event_document(change, partition=0, recorded_at=RECORDED_AT)


def test_only_a_single_predecessor_is_told() -> None:
    for status in Status:
        before = {each for each in Status if status in TRANSITIONS[each]}
        assert predecessor(status) == (before.pop() if len(before) == 1 else None)


@st.composite
def lives(draw: st.DrawFn) -> list[Command]:
    """Draw the life of a shipment: in order or early, wrong or right, amended, retracted."""
    life: list[Command] = [creation()]
    for step in range(draw(st.integers(1, 12))):
        at = NOON + timedelta(minutes=step + 1)
        kind = draw(st.sampled_from(["status", "status", "next", "next", "checkpoint", "amend", "retract"]))
        if kind == "status":
            life.append(report(draw(st.sampled_from(REPORTABLE)), at=at))
        elif kind == "next":
            life.append(report(ROUTE[min(len(life) // 2, 3)], at=at))
        elif kind == "checkpoint":
            life.append(checkpoint(at=at))
        elif kind == "amend":
            life.append(amendment(at=at))
        elif (last := life[draw(st.integers(0, len(life) - 1))]).event_id.count("_retracted") == 0:
            life.append(retraction(last, at=at))
    return life


@given(lives())
def test_the_statuses_of_a_life_are_a_chain_and_repeated_alike(life: list[Command]) -> None:
    records = logged(life)
    verdicts = judged(records)
    messages = published(verdicts)
    found = changes(messages)
    assert [each.version for each in found] == list(range(1, len(found) + 1))
    after = [None, *(each.current_status for each in found)]
    assert [each.previous_status for each in found] == after[:-1]
    assert verdicts.shipment is not None
    assert after[-1] == verdicts.shipment.after.status
    assert repeated(records, verdicts) == messages
