"""The log that benches fill a topic with, and the state they expect of it."""

from collections import Counter
from datetime import timedelta

from bench import footprint
from bench.checking import published, wrong_outcomes
from bench.contenders import CONTENDERS
from bench.filling import created_document, make_filling
from bench.load import LATE, STARTED_AT, WALK
from bench.peers import SERVERS, Drain, Look, drained, ratios, report

from domain.shipments.event_identity import EventId


def test_a_filling_holds_complete_lives_with_repetitions_and_illegal_events() -> None:
    filling = make_filling(events=8000, seed=3)
    counts = Counter(command.event_id for command in filling.commands)
    assert len(counts) == filling.distinct == 8000 + filling.illegal
    assert set(counts.values()) == {1, 2}
    repeated = len(filling.commands) - filling.distinct
    assert 0.03 < repeated / 8000 < 0.07
    assert 0.003 < filling.illegal / 8000 < 0.02
    lives = Counter(command.tracking_number for command in filling.commands)
    assert min(lives.values()) == len(WALK)


def test_every_event_has_one_outcome_by_the_order_of_a_life() -> None:
    filling = make_filling(events=8000, seed=3)
    assert Counter(filling.outcomes.values()) == {"applied": 8000, "rejected": filling.illegal}
    illegal = {
        each.event_id for each in filling.commands if each.timestamp >= STARTED_AT + timedelta(hours=LATE)
    }
    assert {event for event, outcome in filling.outcomes.items() if outcome == "rejected"} == illegal
    assert published(filling) == 2 * 8000 + len(filling.numbers)


def test_an_outcome_that_is_missing_or_another_or_of_no_event_is_wrong() -> None:
    expected = make_filling(events=8, seed=3).outcomes
    first, second, *_ = expected
    assert wrong_outcomes(expected, expected) == []
    recorded = {**expected, first: "rejected", EventId("evt_of_nobody"): "applied"}
    del recorded[second]
    assert len(wrong_outcomes(recorded, expected)) == 3
    assert f"{second}: None, not applied" in wrong_outcomes(recorded, expected)


def test_the_shipments_stand_at_their_beginning() -> None:
    number = make_filling(events=8, seed=3).numbers[0]
    document = created_document(number)
    assert document["_id"] == number
    assert document["current_status"] == "created"
    assert [entry["status"] for entry in document["status_history"]] == ["created"]


def test_a_drain_is_what_lies_between_the_first_record_and_the_last() -> None:
    filling = make_filling(events=8000, seed=3)
    half = filling.distinct // 2
    first = Look(10.0, filling.distinct - half, {"itself": 1.0})
    drain = drained(first, Look(12.0, filling.distinct, {"itself": 1.5}), filling, start_up_s=3.0)
    assert abs(drain.events - len(filling.commands) / 2) < 2
    assert drain.seconds == 2.0
    assert drain.start_up_s == 3.0
    assert abs(drain.cpu_us("itself") - 0.5 / drain.events * 1e6) < 1e-6


def test_memory_is_counted() -> None:
    assert 200 < footprint.shipment_bytes() < 2000
    assert footprint.judged_bytes() > 10_000 * 500


def took(seconds: float) -> Drain:
    cpu_s = dict.fromkeys(("itself", *SERVERS), 0.1)
    return Drain(events=1000, seconds=seconds, start_up_s=1, cpu_s=cpu_s)


def test_a_ratio_is_of_the_very_same_job_in_one_round() -> None:
    ours, ours_quiet, theirs, theirs_quiet = CONTENDERS[:4]
    rounds = [
        {ours.name: took(2), ours_quiet.name: took(1), theirs.name: took(at), theirs_quiet.name: took(3)}
        for at in (1, 2, 18)
    ]
    assert ratios(rounds, theirs) == [0.5, 1, 9]
    assert ratios(rounds, theirs_quiet) == [3, 3, 3]
    rows = [line.split() for line in report(rounds, make_filling(events=8, seed=3)) if theirs.library in line]
    assert [row[1:4] for row in rows] == [["500", "1.00", "x"], ["333", "3.00", "x"]]
    assert rows[0][7:12] == ["100.0", "100.0", "100.0", "100.0", "400.0"]
