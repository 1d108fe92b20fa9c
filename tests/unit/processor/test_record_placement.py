"""Records in another partition than their key's are never applied."""

from dataclasses import replace

import pytest

from domain.errors import PoisonRecord
from domain.processing.halts import Quarantined
from messaging.dead_letters.records import DeadLetter
from messaging.log.partitioning import partition_of
from messaging.placement import require_place
from tests.support.builders import NOON, NUMBER, creation, number
from tests.support.records import LogRecord, record_of
from tests.unit.processor.harness import ProcessorHarness

PARTITIONS = 12
OURS = record_of(creation(), 0)
HOME = partition_of(NUMBER.encode(), PARTITIONS)
ELSEWHERE = (HOME + 1) % PARTITIONS
STRANGER = number(7)


def test_a_record_on_the_partition_of_its_key_is_in_its_place() -> None:
    require_place(replace(OURS, partition=HOME), NUMBER, PARTITIONS)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (replace(OURS, partition=ELSEWHERE), f"partition: {ELSEWHERE} is not that of the key, {HOME}"),
        (replace(OURS, key=None, partition=HOME), f"key: none is not the subject, {NUMBER}"),
        (replace(OURS, key=b"", partition=HOME), f"key: '' is not the subject, {NUMBER}"),
        (replace(OURS, key=b"\xff", partition=HOME), rf"key: '\\xff' is not the subject, {NUMBER}"),
        (
            replace(OURS, key=STRANGER.encode(), partition=HOME),
            f"key: '{STRANGER}' is not the subject, {NUMBER}",
        ),
    ],
)
def test_any_other_is_poison_and_says_why(record: LogRecord, said: str) -> None:
    with pytest.raises(PoisonRecord) as refused:
        require_place(record, NUMBER, PARTITIONS)
    assert refused.value.reason == said


async def test_another_ones_key_gets_no_shipment_past_its_quarantine(harness: ProcessorHarness) -> None:
    entry = Quarantined(tracking_number=NUMBER, reason="a bug", since=NOON, requested_by="admin_user")
    assert await harness.quarantine.put(entry, most=10)
    partition = await harness.partition()
    with pytest.raises(PoisonRecord):
        await partition.handle([replace(OURS, key=STRANGER.encode())])
    assert harness.documents.shipments == {}


async def test_a_quarantined_key_does_no_harm_to_the_event_of_another_shipment(
    harness: ProcessorHarness,
) -> None:
    entry = Quarantined(tracking_number=STRANGER, reason="a bug", since=NOON, requested_by="admin_user")
    assert await harness.quarantine.put(entry, most=10)
    partition = await harness.partition()
    assert not await partition.handle([replace(OURS, key=STRANGER.encode())])
    assert harness.documents.events == {}
    assert [each["reason"] for each in harness.documents.dead_letters.values()] == ["quarantined"]


@pytest.mark.parametrize("timestamp", [-1, -(2**63), 2**63 - 1])
async def test_a_dead_letter_is_written_whatever_time_its_record_has(
    harness: ProcessorHarness, timestamp: int
) -> None:
    partition = await harness.partition()
    await partition.dead_letter(
        DeadLetter(replace(OURS, value=b"{", timestamp=timestamp), "unreadable", "bad", 1)
    )
    assert len(harness.documents.dead_letters) == 1
