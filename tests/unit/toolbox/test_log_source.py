"""Log source: records that have expired, and records that are invalid."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from bson import encode
from bson.raw_bson import RawBSONDocument

from domain.processing.halts import QUARANTINED
from domain.shipments.event_identity import creation_event_id
from domain.shipments.status import Status
from messaging.dead_letters.records import Record
from messaging.log.generations import Generation
from messaging.log.partitioning import partition_of
from messaging.unpacking import UnreadableBatch, UnreadableRecord
from storage.mongo.documents import Document
from storage.mongo.maintenance.snapshots import Stored
from tests.support.builders import NOON, NUMBER, creation, number, report
from tests.support.records import TOPIC, LogRecord, record_of
from toolbox.rebuild.log_source import DeadLetterRecords, Log

APPENDED_AT = LogRecord(0).timestamp
FIRST_RECORD = datetime.fromtimestamp(APPENDED_AT / 1000, tz=NOON.tzinfo)
SECOND = timedelta(seconds=1)
ONLY = Generation(1, TOPIC, is_first=True)
NO_DEAD_LETTERS = DeadLetterRecords({}, complete=True)


def log_of(
    directory: Path, *records: Record, fence: int = 100, dead_letters: DeadLetterRecords = NO_DEAD_LETTERS
) -> Log:
    """Return a log whose only partition begins at offset 10."""
    log = Log(directory, [ONLY], {0: 10}, {0: 10 + len(records)})
    for record in records:
        log.add(record, ONLY)
    log.settle({0: fence}, dead_letters)
    return log


def created(*, offset: int = 10, at: datetime = FIRST_RECORD) -> Stored:
    """Return a shipment of which the audit log has the creation."""
    identity = creation_event_id(NUMBER)
    return Stored(None, [{"_id": identity, "partition": 0, "offset": offset, "recorded_at": at}])


def shipment_of(first_line: Document) -> Stored:
    """Return a shipment whose creation the audit log has lost."""
    return Stored(RawBSONDocument(encode({"_id": NUMBER, "status_history": [first_line]})), [])


def entries_by_shipment(log: Log) -> tuple[list[str], list[str]]:
    """Return the shipments with records, and the faults of other records."""
    faults: list[str] = []
    return [
        of for of, _ in log.entries_by_shipment(lambda what, fault: faults.append(f"{what}: {fault}"))
    ], faults


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
    assert entries_by_shipment(log) == (sorted(numbers), [])


@pytest.mark.parametrize(
    "dead_letters",
    [
        DeadLetterRecords({(0, 11, APPENDED_AT): "no JSON"}, complete=True),
        DeadLetterRecords({}, complete=False),
    ],
)
def test_an_unreadable_record_is_left_out_if_its_dead_letter_exists_or_expired(
    tmp_path: Path, dead_letters: DeadLetterRecords
) -> None:
    log = log_of(tmp_path, record_of(creation(), 10), LogRecord(11, b"{"), dead_letters=dead_letters)
    assert entries_by_shipment(log) == ([NUMBER], [])


def test_an_unreadable_record_without_a_dead_letter_is_reported(tmp_path: Path) -> None:
    faults = entries_by_shipment(log_of(tmp_path, record_of(creation(), 10), LogRecord(11, b"{")))[1]
    assert [line.partition(" Invalid")[0] for line in faults] == [
        "record 0/11: is no dead letter, should be one:"
    ]


def test_a_record_that_nobody_reads_is_left_out_unread(tmp_path: Path) -> None:
    dead_letters = DeadLetterRecords({(0, 11, APPENDED_AT): None}, complete=True)
    log = log_of(
        tmp_path,
        record_of(creation(), 10),
        record_of(report(Status.PICKED_UP), 11),
        dead_letters=dead_letters,
    )
    [(_, entries)] = log.entries_by_shipment(lambda what, fault: pytest.fail(f"{what}: {fault}"))
    assert [entry.consumed.offset for entry in entries] == [10]


def test_the_dead_letter_of_an_earlier_topic_is_not_this_records(tmp_path: Path) -> None:
    dead_letters = DeadLetterRecords({(0, 10, APPENDED_AT - 1): "a bug"}, complete=True)
    log = log_of(tmp_path, record_of(creation(), 10), dead_letters=dead_letters)
    [(_, [entry])] = log.entries_by_shipment(lambda what, fault: pytest.fail(f"{what}: {fault}"))
    assert entry.dead_reason is None


VALUE = record_of(report(Status.PICKED_UP), 0).value
FAULT = "the name of header b'\\xff' is not UTF-8"
ILLEGIBLE = [
    (LogRecord(10, VALUE, number(2).encode()), f"key: '{number(2)}' is not the subject, {NUMBER}"),
    (UnreadableRecord(TOPIC, 0, 10, APPENDED_AT, FAULT, NUMBER.encode(), VALUE), FAULT),
]


@pytest.mark.parametrize(("record", "fault"), ILLEGIBLE)
def test_a_record_that_the_processor_could_not_read_is_reported_without_a_dead_letter(
    tmp_path: Path, record: Record, fault: str
) -> None:
    assert entries_by_shipment(log_of(tmp_path, record)) == (
        [],
        [f"record 0/10: is no dead letter, should be one: {fault}"],
    )


@pytest.mark.parametrize("record", [record for record, _ in ILLEGIBLE])
def test_what_the_processor_could_not_read_is_no_event_even_of_a_shipment_in_quarantine(
    tmp_path: Path, record: Record
) -> None:
    dead_letters = DeadLetterRecords({(0, 10, APPENDED_AT): QUARANTINED}, complete=True)
    assert entries_by_shipment(log_of(tmp_path, record, dead_letters=dead_letters)) == ([], [])


def test_the_event_of_an_unreadable_dead_letter_is_not_in_the_audit_log(tmp_path: Path) -> None:
    here, behind = (0, 10, APPENDED_AT), (0, 11, APPENDED_AT)
    errors = {here: "partition: 0 is not that of the key, 1", behind: "a bug"}
    dead_letters = DeadLetterRecords(errors, complete=True, unreadable={here})
    log = log_of(tmp_path, record_of(creation(), 10), record_of(creation(), 11), dead_letters=dead_letters)
    [(_, entries)] = log.entries_by_shipment(lambda what, fault: pytest.fail(f"{what}: {fault}"))
    assert [entry.is_published for entry in entries] == [False, True]


def test_a_skipped_batch_is_neither_reported_nor_the_first_record(tmp_path: Path) -> None:
    batch = UnreadableBatch(TOPIC, 0, 10, 12, "codec 7 is unknown")
    log = log_of(tmp_path, batch, record_of(creation(), 12))
    assert entries_by_shipment(log) == ([NUMBER], [])
    assert log.is_gone(NUMBER, created(offset=500, at=FIRST_RECORD - SECOND))


@pytest.mark.parametrize("timestamp", [-(2**63), -1, 2**63 - 1])
def test_a_record_of_any_time_is_read(tmp_path: Path, timestamp: int) -> None:
    log = log_of(tmp_path, replace(record_of(creation(), 10), timestamp=timestamp))
    assert entries_by_shipment(log) == ([NUMBER], [])


def test_keys_are_spread_over_the_declared_partitions_however_many_the_topic_has(tmp_path: Path) -> None:
    declared = 2
    home = partition_of(NUMBER.encode(), declared)
    more = next(count for count in range(3, 50) if partition_of(NUMBER.encode(), count) != home)
    generation = Generation(declared, TOPIC, is_first=True)
    log = Log(tmp_path, [generation], dict.fromkeys(range(more), 0), {home: 1})
    log.add(replace(record_of(creation(), 0), partition=home), generation)
    line = {"recorded_at": FIRST_RECORD}
    assert not log.is_gone(NUMBER, shipment_of(line))
    assert log.is_gone(NUMBER, shipment_of({"recorded_at": FIRST_RECORD - SECOND}))


def test_a_dead_event_is_trusted_where_dead_letters_have_expired(tmp_path: Path) -> None:
    dead = {"outcome": "dead", "reason": "a bug"}
    assert log_of(tmp_path).dead_reason_of(dead) is None
    gone = log_of(tmp_path, dead_letters=DeadLetterRecords({}, complete=False))
    assert gone.dead_reason_of(dead) == "a bug"
    assert gone.dead_reason_of({"outcome": "rejected", "reason": "FORBIDDEN"}) is None
