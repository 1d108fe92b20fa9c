import pytest

from demo.dataset.known_answer import NOTHING, known_answer, load
from demo.dataset.model import Numbers, expected_after
from demo.dataset.records import DataSet
from demo.ledger import EventState, Ledger, ShipmentState, deliveries_between, standing
from tests.unit.demo.stand_in import Rules


def test_the_committed_answer_is_what_the_rules_give(data: DataSet) -> None:
    assert load() == known_answer(data), "run python -m demo.dataset.known_answer"


def test_every_delivery_counts_as_one_thing() -> None:
    answer = load()
    assert answer.first_run.total == answer.later_run.total == answer.sent
    assert sum(answer.standing.shipments.values()) == 1000
    assert answer.standing.applied + sum(answer.standing.rejected.values()) == answer.standing.events


def test_a_later_run_applies_nothing() -> None:
    answer = load()
    assert answer.later_run.applied == 0
    assert answer.later_run.rejected == answer.first_run.rejected
    assert answer.later_run.conflicts == answer.first_run.conflicts


@pytest.mark.parametrize("sent_before", [0, 1, 700, 2000, 3500, 4000, None])
def test_an_interrupted_run_leads_to_the_same_end(
    data: DataSet, numbers: Numbers, sent_before: int | None
) -> None:
    rules = Rules()
    _send(rules, data, numbers, upto=sent_before)
    before = _ledger(rules)
    _send(rules, data, numbers)
    after = _ledger(rules)
    assert after == expected_after(data, numbers, before=before)
    assert standing(after) == load().standing
    assert deliveries_between(before, after).total == len(data.scans)


def test_counters_of_earlier_runs_are_kept(morning: DataSet, numbers: Numbers) -> None:
    rules, ledger = Rules(), NOTHING
    for _ in range(3):
        expected = expected_after(morning, numbers, before=ledger)
        _send(rules, morning, numbers)
        ledger = _ledger(rules)
        assert ledger == expected


def _send(rules: Rules, data: DataSet, numbers: Numbers, *, upto: int | None = None) -> None:
    for booking in data.bookings:
        rules.create(booking.key, booking.body())
    for scan in data.scans[:upto]:
        rules.report(scan.body(numbers[scan.of]))


def _ledger(rules: Rules) -> Ledger:
    events = {
        known: EventState(record.outcome, record.reason, **rules.counters[known])
        for known, record in rules.records.items()
        if not known.endswith("_created")
    }
    shipments = {number: ShipmentState(it.status, it.version) for number, it in rules.shipments.items()}
    return Ledger(events, shipments)
