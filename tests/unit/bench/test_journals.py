"""Figures derived from the journals of processes at work."""

from pathlib import Path

import pytest
from bench import journals
from bench.journals import Entry

ONE = [
    Entry(0, "opened", 0, 0),
    Entry(0, "opened", 1, 0),
    *(Entry(at, "applied", at % 2, 100) for at in (1, 2, 3)),
]
OTHER = [Entry(0.5, "opened", 2, 0), *(Entry(at, "applied", 2, 100) for at in (1.5, 2.5, 5.0))]
BOTH = {"one": ONE, "other": OTHER}


def test_the_rate_begins_when_everybody_is_at_work() -> None:
    assert journals.total(BOTH) == 600
    assert journals.all_at_work_s(BOTH) == 1.5
    assert journals.rate(BOTH, from_s=1.5) == pytest.approx(400 / 3.5)
    assert journals.total(journals.since(BOTH, 1.5)) == 400


def test_balance_is_measured_by_the_busiest() -> None:
    assert journals.most_over_mean(BOTH) == 0
    assert journals.most_over_mean({"one": ONE, "other": OTHER[:2]}) == pytest.approx(0.5)


def test_start_up_ends_with_the_first_partition() -> None:
    assert journals.opened_after_s(OTHER, -2.0) == 2.5


def test_a_pause_is_a_gap_that_reaches_into_the_span() -> None:
    assert list(journals.pauses_s(OTHER, from_s=2.6, until_s=3.0)) == [2.5]
    assert max(journals.pauses_s(OTHER, from_s=0, until_s=9)) == 2.5
    assert list(journals.pauses_s(OTHER, from_s=6, until_s=9)) == []


def test_an_assignment_takes_the_place_of_the_one_before() -> None:
    again = [*ONE, Entry(4, "opened", 7, 0), Entry(5, "applied", 7, 1)]
    assert journals.partitions_of(again, at_s=3.5) == {0, 1}
    assert journals.partitions_of(again, at_s=9) == {7}


def test_partitions_have_moved_when_the_last_of_them_is_processed() -> None:
    assert journals.moved_after_s(BOTH, {0, 2}, since_s=1.0) == pytest.approx(1.0)
    assert journals.moved_after_s(BOTH, {0, 9}, since_s=0.0) is None


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    assert journals.read(path) == []
    path.write_text("1.5 applied 3 100\n2.5 appl")
    assert journals.read(path) == [Entry(1.5, "applied", 3, 100)]
