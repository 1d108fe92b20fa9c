"""What the log no longer has, and what stands in it as it must not."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from domain.identity import creation_event_id
from domain.status import Status
from processor.rebuilding.reading import Letters, Log
from storage.snapshots import Stored
from tests.support.builders import NOON, NUMBER, creation, number, report
from tests.support.records import LogRecord, record_of

APPENDED_AT = LogRecord(0).timestamp
FIRST_RECORD = datetime.fromtimestamp(APPENDED_AT / 1000, tz=NOON.tzinfo)
SECOND = timedelta(seconds=1)
NO_LETTERS = Letters({}, complete=True)


def log_of(directory: Path, *records: LogRecord, fence: int = 100, letters: Letters = NO_LETTERS) -> Log:
    """Return a log whose only partition begins at offset 10."""
    log = Log(directory, {0: 10}, {0: 10 + len(records)})
    for record in records:
        log.add(record)
    log.settle({0: fence}, letters)
    return log


def created(*, offset: int = 10, at: datetime = FIRST_RECORD) -> Stored:
    """Return a shipment of which the audit log has the creation."""
    identity = creation_event_id(NUMBER)
    return Stored(None, [{"_id": identity, "partition": 0, "offset": offset, "recorded_at": at}])


def stories(log: Log) -> tuple[list[str], list[str]]:
    """Return of which shipments there are records, and what was said of others."""
    said: list[str] = []
    return [of for of, _ in log.stories(lambda what, fault: said.append(f"{what}: {fault}"))], said


def test_a_creation_below_the_beginning_is_gone(tmp_path: Path) -> None:
    log = log_of(tmp_path, record_of(creation(), 10))
    assert not log.is_gone(NUMBER, created())
    assert log.is_gone(NUMBER, created(offset=9))
    assert not log.is_gone(number(5), Stored(None, []))


def test_what_was_recorded_before_the_first_record_stood_in_another_topic(tmp_path: Path) -> None:
    log = log_of(tmp_path, record_of(creation(), 10))
    assert log.is_gone(NUMBER, created(offset=500, at=FIRST_RECORD - SECOND))
    assert not log.is_gone(NUMBER, created(offset=500, at=FIRST_RECORD + SECOND))


def test_an_empty_log_has_lost_everything(tmp_path: Path) -> None:
    assert log_of(tmp_path).is_gone(NUMBER, created(offset=500))


def test_records_come_by_tracking_number_and_none_from_above_the_fence(tmp_path: Path) -> None:
    numbers = [number(index) for index in (7, 3, 5)]
    records = [record_of(creation(of), 10 + at) for at, of in enumerate(numbers)]
    log = log_of(tmp_path, *records, record_of(creation(number(9)), 13), fence=13)
    assert stories(log) == (sorted(numbers), [])


@pytest.mark.parametrize(
    "letters", [Letters({(0, 11, APPENDED_AT): "no JSON"}, complete=True), Letters({}, complete=False)]
)
def test_an_unreadable_record_is_left_out_where_its_letter_is_there_or_gone(
    tmp_path: Path, letters: Letters
) -> None:
    log = log_of(tmp_path, record_of(creation(), 10), LogRecord(11, b"{"), letters=letters)
    assert stories(log) == ([NUMBER], [])


def test_an_unreadable_record_without_a_letter_is_told(tmp_path: Path) -> None:
    told = stories(log_of(tmp_path, record_of(creation(), 10), LogRecord(11, b"{")))[1]
    assert [line.partition(" Invalid")[0] for line in told] == [
        "record 0/11: is no dead letter, should be one:"
    ]


def test_a_record_that_nobody_reads_is_left_out_unread(tmp_path: Path) -> None:
    letters = Letters({(0, 11, APPENDED_AT): None}, complete=True)
    log = log_of(
        tmp_path, record_of(creation(), 10), record_of(report(Status.PICKED_UP), 11), letters=letters
    )
    [(_, entries)] = log.stories(lambda what, fault: pytest.fail(f"{what}: {fault}"))
    assert [entry.delivery.offset for entry in entries] == [10]


def test_the_letter_of_a_record_of_another_topic_is_not_this_ones(tmp_path: Path) -> None:
    letters = Letters({(0, 10, APPENDED_AT - 1): "a bug"}, complete=True)
    log = log_of(tmp_path, record_of(creation(), 10), letters=letters)
    [(_, [entry])] = log.stories(lambda what, fault: pytest.fail(f"{what}: {fault}"))
    assert entry.death is None


def test_a_record_under_another_key_is_told(tmp_path: Path) -> None:
    stray = LogRecord(10, record_of(report(Status.PICKED_UP), 0).value, number(2).encode())
    assert stories(log_of(tmp_path, stray)) == (
        [],
        [f"record 0/10: has the key {number(2).encode()!r}, should have {NUMBER!r}"],
    )


def test_a_dead_event_is_believed_where_letters_are_gone(tmp_path: Path) -> None:
    dead = {"outcome": "dead", "reason": "a bug"}
    assert log_of(tmp_path).death_of(dead) is None
    gone = log_of(tmp_path, letters=Letters({}, complete=False))
    assert gone.death_of(dead) == "a bug"
    assert gone.death_of({"outcome": "rejected", "reason": "FORBIDDEN"}) is None
