"""Reading of records as commands: redelivered ones, and records that cannot be read."""

from dataclasses import replace

import pytest

from domain.errors import PoisonRecord
from domain.ports.core import Fence
from domain.shipments.status import Status
from messaging.log.control_records import end_marker, probe
from messaging.log.generations import Generation
from messaging.log.partitioning import partition_of
from processor.use_cases.partition_fence import PartitionFence
from processor.use_cases.record_reader import RecordReader
from processor.use_cases.shipment_cache import ShipmentCache
from tests.support.builders import NUMBER, creation, report
from tests.support.fakes import InMemoryShipmentStore
from tests.support.records import LogRecord, record_of
from tests.unit.processor.harness import NAME

APPLIED_BELOW = 5


@pytest.fixture
def reader() -> RecordReader:
    fence = PartitionFence(NAME, InMemoryShipmentStore(), ShipmentCache(1), owner="test")
    fence.held = Fence(NAME, 1, APPLIED_BELOW)
    return RecordReader(fence, Generation(1, "shipments.events", is_first=True))


def test_records_below_the_fence_are_redelivered(reader: RecordReader) -> None:
    records = [record_of(creation(), 4), record_of(report(Status.PICKED_UP), 5, reply_to="answers:a")]
    commands = reader.read_batch(records)
    assert [(each.offset, each.redelivered, each.reply_to) for each in commands] == [
        (4, True, None),
        (5, False, "answers:a"),
    ]
    assert commands[0].command == creation()


def test_an_unreadable_record_is_skipped_below_the_fence_and_poison_above_it(reader: RecordReader) -> None:
    good = record_of(creation(), 6)
    assert [each.offset for each in reader.read_batch([LogRecord(4, b"{"), good])] == [6]
    with pytest.raises(PoisonRecord):
        reader.read_batch([LogRecord(5, b"{"), good])


@pytest.mark.parametrize("offset", [4, 5])
def test_a_single_unreadable_record_is_none(reader: RecordReader, offset: int) -> None:
    assert reader.read_or_none(LogRecord(offset, b"{")) is None
    assert reader.read_or_none(record_of(creation(), offset)) is not None


END = tuple(end_marker(2))


def test_control_records_are_no_commands_and_what_follows_the_end_is_poison(reader: RecordReader) -> None:
    marker, good = LogRecord(6, b"", None, headers=END), record_of(creation(), 5)
    probing = LogRecord(7, b"", None, headers=tuple(probe()))
    for _ in range(2):  # a batch may be read again
        assert [each.offset for each in reader.read_batch([good, marker, probing])] == [5]
    assert reader.end == 6
    with pytest.raises(PoisonRecord, match="had been closed"):
        reader.read_batch([good, marker, record_of(report(Status.PICKED_UP), 8)])


def test_what_follows_the_end_is_poison_for_the_next_owner_too(reader: RecordReader) -> None:
    reader.end = APPLIED_BELOW - 1
    assert [each.offset for each in reader.read_batch([record_of(creation(), 4)])] == [4]
    with pytest.raises(PoisonRecord, match="had been closed"):
        reader.read_batch([record_of(creation(), 5)])


def test_positions_of_a_later_topic_are_above_all_before() -> None:
    fence = PartitionFence(NAME, InMemoryShipmentStore(), ShipmentCache(1), owner="test")
    later = RecordReader(fence, Generation(2, "shipments.events-2"))
    [read] = later.read_batch([replace(record_of(creation(), 3), partition=partition_of(NUMBER.encode(), 2))])
    assert read.offset == (2 << 40) + 3
