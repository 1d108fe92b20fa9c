"""Dead-lettered records in the log: never judged, judged all the same, or pending."""

from collections.abc import Sequence
from dataclasses import replace

from domain.shipments.commands import Command
from domain.shipments.status import Status
from tests.support.builders import NOON, NUMBER, consumed, creation, report
from toolbox.rebuild.log_fold import Entry, fold_log

PICKED_UP = report(Status.PICKED_UP)
STORED = report(Status.IN_WAREHOUSE)
BUG = "ValueError: a bug"


def entries(*commands: Command, dead: Sequence[int] = ()) -> list[Entry]:
    """Return the records of commands; those at the offsets `dead` have a dead letter."""
    return [
        Entry(consumed(command, offset), 3, NOON, BUG if offset in dead else None)
        for offset, command in enumerate(commands)
    ]


def test_a_dead_event_is_recorded_and_what_follows_is_judged_without_it() -> None:
    folded = fold_log(entries(creation(), PICKED_UP, STORED, dead=[1]))
    dead = folded.events[PICKED_UP.event_id]
    assert (dead["outcome"], dead["reason"], dead["attempts"]) == ("dead", BUG, 1)
    assert (dead["partition"], dead["offset"], dead["client_id"]) == (3, 1, None)
    assert folded.events[STORED.event_id]["outcome"] == "rejected"


def test_a_dead_event_that_is_replayed_is_judged() -> None:
    folded = fold_log(entries(creation(), PICKED_UP, STORED, PICKED_UP, dead=[1]))
    replayed = folded.events[PICKED_UP.event_id]
    assert (replayed["outcome"], replayed["reason"], replayed["attempts"]) == ("applied", None, 2)
    assert (replayed["offset"], replayed["version"]) == (3, 2)


def test_a_dead_creation_that_is_replayed_creates() -> None:
    folded = fold_log(entries(creation(), PICKED_UP, creation(), PICKED_UP, dead=[0]))
    assert folded.shipment is not None
    assert folded.shipment["current_status"] == "picked_up"
    assert folded.events[creation().event_id]["attempts"] == 2


def test_a_dead_record_that_could_not_be_read_is_no_event_until_it_is_replayed() -> None:
    records = entries(creation(), PICKED_UP, PICKED_UP, dead=[1])
    records[1] = replace(records[1], is_published=False)
    assert fold_log(records[:2]).events.keys() == {creation().event_id}
    replayed = fold_log(records).events[PICKED_UP.event_id]
    assert (replayed["outcome"], replayed["attempts"], replayed["offset"]) == ("applied", 1, 2)
    assert fold_log(records[:2], judged_at=[0, 1]).events[PICKED_UP.event_id]["outcome"] == "applied"


def test_an_event_that_has_a_record_is_not_dead_by_dying_again() -> None:
    folded = fold_log(entries(creation(), PICKED_UP, PICKED_UP, dead=[2]))
    assert folded.events[PICKED_UP.event_id]["outcome"] == "applied"
    assert folded.events[PICKED_UP.event_id]["duplicates"] == 0


def test_another_payload_of_a_dead_event_is_judged_and_takes_its_place() -> None:
    folded = fold_log(entries(creation(), PICKED_UP, replace(PICKED_UP, notes="else"), dead=[1]))
    event = folded.events[PICKED_UP.event_id]
    assert (event["outcome"], event["conflicts"], event["last_offset"]) == ("applied", 0, 2)


def test_a_record_that_was_judged_although_it_has_a_dead_letter_counts_as_judged() -> None:
    folded = fold_log(entries(creation(), PICKED_UP, dead=[1]), judged_at=[0, 1])
    assert folded.events[PICKED_UP.event_id]["outcome"] == "applied"


def test_above_the_fence_only_what_died_may_be_recorded() -> None:
    above = [replace(each, settled=False) for each in entries(creation(), PICKED_UP, STORED, dead=[1])[1:]]
    folded = fold_log([*entries(creation()), *above])
    assert folded.shipment is not None
    assert folded.shipment["_id"] == NUMBER
    assert folded.shipment["version"] == 1
    assert folded.events.keys() == {creation().event_id, PICKED_UP.event_id}
    assert folded.pending == {PICKED_UP.event_id}
