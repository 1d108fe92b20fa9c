"""Reading of records as commands: redelivered ones, and records that cannot be read."""

import pytest

from domain.errors import PoisonRecord
from domain.ports.core import Fence
from domain.shipments.status import Status
from messaging.log.generations import Generation
from processor.use_cases.partition_fence import PartitionFence
from processor.use_cases.record_reader import RecordReader
from processor.use_cases.shipment_cache import ShipmentCache
from tests.support.builders import creation, report
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
