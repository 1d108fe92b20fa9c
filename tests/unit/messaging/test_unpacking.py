"""Unreadable records are items of their partition, in their position; those around them are unpacked."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import pytest
from aiokafka import TopicPartition, codec
from aiokafka.consumer import fetcher
from aiokafka.structs import ConsumerRecord

from messaging.decompressing import MAX_BATCH_BYTES, BatchTooLarge, snappy_bounded
from messaging.unpacking import (
    KeyFilter,
    RawBatchRecords,
    TolerantRecords,
    UnreadableBatch,
    UnreadableRecord,
    install,
)
from tests.support.raw_batches import batch, record

PLACE = TopicPartition("topic", 3)
GOOD = batch([record(0), record(1, headers=[(b"name", None)])], base=10)
ODD_NAME = record(1, value=b"odd", headers=[(b"fine", b"1"), (b"\xff\xfe", b"2")])
AFTER = batch([record(0)], base=15)
UNKNOWN_CODEC = 7
OPTIONS = (None, None, True, 1)


def unpacked(data: bytes, *, first: int = 10) -> list[Any]:
    records = TolerantRecords(PLACE, RawBatchRecords(data), [], first, *OPTIONS)
    return list(records)


def shown(items: Sequence[Any]) -> list[tuple[str, int]]:
    return [(type(item).__name__, item.offset) for item in items]


def damaged(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


def test_aiokafka_unpacks_with_it() -> None:
    install()
    assert (fetcher.MemoryRecords, fetcher.PartitionRecords) == (RawBatchRecords, TolerantRecords)


def test_what_is_well_is_as_aiokafka_gives_it() -> None:
    ours = unpacked(GOOD + AFTER)
    theirs = TolerantRecords.__mro__[1](PLACE, RawBatchRecords(GOOD + AFTER), [], 10, *OPTIONS)
    assert ours == list(theirs)
    assert shown(ours) == [("ConsumerRecord", 10), ("ConsumerRecord", 11), ("ConsumerRecord", 15)]


def test_a_header_name_that_is_not_utf8_is_the_fault_of_its_record_alone() -> None:
    items = unpacked(GOOD + batch([record(0), ODD_NAME, record(2)], base=12) + AFTER)
    assert [item.offset for item in items] == [10, 11, 12, 13, 14, 15]
    [odd] = [item for item in items if not isinstance(item, ConsumerRecord)]
    assert odd == UnreadableRecord(
        topic="topic",
        partition=3,
        offset=13,
        timestamp=items[0].timestamp,
        fault="the name of header b'\\xff\\xfe' is not UTF-8",
        key=b"key",
        value=b"odd",
        headers=(("fine", b"1"), ("\\xff\\xfe", b"2")),
    )


def test_what_was_read_before_is_not_given_again() -> None:
    raw = batch([record(0), ODD_NAME, record(2)], base=12)
    assert shown(unpacked(raw, first=13)) == [("UnreadableRecord", 13), ("ConsumerRecord", 14)]


@pytest.mark.parametrize(
    "bad",
    [
        damaged(batch([record(0), record(1), record(2)], base=12)),
        batch([record(0), record(1), record(2)], base=12, attributes=UNKNOWN_CODEC),
        batch([record(0), record(1), record(2)], base=12, attributes=1),  # not gzip
    ],
    ids=["damaged", "unknown codec", "not what its codec says"],
)
def test_a_batch_that_cannot_be_parsed_is_one_item_with_its_end(bad: bytes) -> None:
    items = unpacked(GOOD + bad + AFTER)
    assert shown(items) == [
        ("ConsumerRecord", 10),
        ("ConsumerRecord", 11),
        ("UnreadableBatch", 12),
        ("ConsumerRecord", 15),
    ]
    assert items[2].next_offset == 15


CODECS = {
    1: codec.gzip_encode,
    2: codec.snappy_encode,
    3: codec.lz4_encode,
    4: codec.zstd_encode,
}


@pytest.mark.parametrize(("number", "encode"), CODECS.items())
def test_a_batch_that_would_fill_the_memory_is_one_item(
    number: int, encode: Callable[[bytes], bytes]
) -> None:
    install()
    largest = record(0, value=bytes(MAX_BATCH_BYTES - 32))
    whole = batch([largest], base=12, attributes=number, encode=encode)
    bomb = batch([largest, record(1, value=bytes(32))], base=12, attributes=number, encode=encode)
    assert shown(unpacked(whole + AFTER, first=12)) == [("ConsumerRecord", 12), ("ConsumerRecord", 15)]
    [item, behind] = unpacked(bomb + AFTER, first=12)
    assert (item.offset, item.next_offset, behind.offset) == (12, 15, 15)
    assert item.fault == "BatchTooLarge: it is larger than 16 MiB without compression"


def test_snappy_without_blocks_is_bounded_too() -> None:
    with pytest.raises(BatchTooLarge):
        snappy_bounded(codec.snappy_encode(bytes(MAX_BATCH_BYTES + 1), xerial_compatible=False))
    assert snappy_bounded(codec.snappy_encode(b"as it was", xerial_compatible=False)) == b"as it was"


@pytest.mark.parametrize("length", [0, -4, -(2**31)])
def test_a_block_of_snappy_that_leads_back_is_refused(length: int) -> None:
    raw = codec.snappy_encode(b"some text")
    with pytest.raises(ValueError, match="a block of"):
        snappy_bounded(raw[:16] + length.to_bytes(4, "big", signed=True) + raw[20:])


def test_the_last_batch_of_a_response_ends_where_its_complete_header_says() -> None:
    [item] = unpacked(batch([record(0), record(1)], base=12, attributes=UNKNOWN_CODEC), first=12)
    assert isinstance(item, UnreadableBatch)
    assert (item.offset, item.next_offset) == (12, 14)


def test_a_damaged_header_is_not_believed_where_the_batch_ends() -> None:
    raw = bytearray(batch([record(0), record(1)], base=12))
    raw[23] ^= 0x40  # of the last offset: a thousand million further on
    for behind in (b"", AFTER[:14]):
        [item] = unpacked(bytes(raw) + behind, first=12)
        assert (item.offset, item.next_offset) == (12, 13)
    assert shown(unpacked(bytes(raw) + AFTER, first=12)) == [("UnreadableBatch", 12), ("ConsumerRecord", 15)]


@pytest.mark.parametrize("length", [0, 1, 5, 13])
def test_a_length_below_that_of_any_batch_is_one_item_and_ends_the_response(length: int) -> None:
    raw = bytearray(batch([record(0)], base=12))
    raw[8:12] = length.to_bytes(4, "big")
    items = list(
        islice(TolerantRecords(PLACE, RawBatchRecords(GOOD + bytes(raw) + AFTER), [], 10, *OPTIONS), 9)
    )
    assert shown(items) == [("ConsumerRecord", 10), ("ConsumerRecord", 11), ("UnreadableBatch", 12)]
    assert items[2].next_offset == 13


@pytest.mark.parametrize("cut", range(1, 61, 6))
def test_no_damage_stops_it_or_leads_back(cut: int) -> None:
    raw = bytearray(GOOD + batch([record(0), record(1)], base=12) + AFTER)
    start = len(GOOD) + 12  # what the broker finds batches by is left as it is
    for bit in range(8):
        spoilt = (
            bytes(raw[: start + cut]) + bytes([raw[start + cut] ^ (1 << bit)]) + bytes(raw[start + cut + 1 :])
        )
        offsets = [item.offset for item in unpacked(spoilt)]
        assert offsets == sorted(set(offsets))
        assert offsets[:2] == [10, 11]
        assert offsets[-1] == 15


def test_records_whose_keys_are_not_wanted_are_skipped_and_passed() -> None:
    mixed = batch([record(0, key=b"mine"), record(1, key=b"other"), record(2, key=None)], base=10)
    raw = mixed + batch([record(0, key=b"other")], base=13) + batch([record(0, key=b"mine")], base=14)
    options = (KeyFilter({b"mine"}), *OPTIONS[1:])
    records = TolerantRecords(PLACE, RawBatchRecords(raw), [], 10, *options)

    assert shown(list(records)) == [("ConsumerRecord", 10), ("ConsumerRecord", 14)]
    assert records.next_fetch_offset == 15


def test_filter_of_keys_passes_over_what_nobody_can_read() -> None:
    raw = damaged(batch([record(0, key=b"mine")], base=10)) + batch([record(0, key=b"mine")], base=11)
    records = TolerantRecords(PLACE, RawBatchRecords(raw), [], 10, KeyFilter({b"mine"}), *OPTIONS[1:])

    assert shown(list(records)) == [("UnreadableBatch", 10), ("ConsumerRecord", 11)]
