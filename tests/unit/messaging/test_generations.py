"""Generations of the log: their order, which partition follows which, and what a closed topic takes."""

from itertools import pairwise

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from domain.shipments.commands import Command
from domain.shipments.status import Status
from messaging import codec
from messaging.log.control_records import CLOSED_BYTES, end_marker, is_control, is_end_marker, probe
from messaging.log.generations import (
    Generation,
    LogPartition,
    generation_at,
    generations_among,
    number_at,
    place_at,
)
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from tests.support.builders import creation, report, retraction
from tests.support.records import LogRecord

SETTINGS = KafkaSettings()
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
_NO_LIMIT = 1 << 20


def test_generations_follow_each_other_by_their_numbers_of_partitions() -> None:
    topics = [
        "shipments.events-100",
        "shipments.events-24",
        "shipments.events.dlq",
        "shipments.events-024",
        "shipments.events-x",
        "shipments.events-12",  # as many as the first one has
        "other-shipments.events-48",
        "shipments.events",
    ]
    names = [each.topic for each in generations_among(topics, SETTINGS)]
    assert names == ["shipments.events", "shipments.events-24", "shipments.events-100"]


def test_a_log_without_topics_begins_with_the_first() -> None:
    assert generations_among([], SETTINGS) == [Generation(12, "shipments.events", is_first=True)]


@given(st.binary(max_size=30), st.integers(1, 60), st.integers(1, 60))
def test_the_partition_that_a_key_was_in_is_among_the_predecessors(key: bytes, count: int, more: int) -> None:
    before = Generation(count, "log", is_first=True)
    after = Generation(count + more, f"log-{count + more}")
    partition = LogPartition(after, after.partition_of(key), before)
    assert before.name_of(before.partition_of(key)) in partition.predecessors


def test_a_partition_waits_for_one_where_the_number_is_a_multiple_and_else_for_as_few_as_possible() -> None:
    twelve = Generation(12, "log", is_first=True)
    assert LogPartition(Generation(24, "log-24"), 17, twelve).predecessors == {"log/5"}
    assert LogPartition(Generation(18, "log-18"), 1, twelve).predecessors == {"log/1", "log/7"}
    assert len(LogPartition(Generation(13, "log-13"), 1, twelve).predecessors) == 12
    assert LogPartition(twelve, 5).predecessors == frozenset()


@given(st.lists(st.integers(2, 1000), min_size=1, max_size=5, unique=True), st.integers(0, (1 << 40) - 1))
def test_positions_grow_from_generation_to_generation_and_tell_which_it_is(
    counts: list[int], offset: int
) -> None:
    log = [Generation(1, "log", is_first=True), *(Generation(each, f"log-{each}") for each in sorted(counts))]
    for earlier, later in pairwise(log):
        assert earlier.base + offset < later.base
    for each in log:
        number = each.partitions - 1
        assert place_at(number, each.base + offset) == each.place_of(number)
        assert number_at(each.place_of(number)) == number
        assert each.is_first or generation_at(each.base + offset) == each.partitions


def _size(command: Command, codec_number: int) -> int:
    """Return the bytes of a batch with nothing but one command, without the headers that may be added."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=codec_number,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=_NO_LIMIT,
    )
    headers = [codec.CONTENT_TYPE_HEADER]
    key = command.tracking_number.encode()
    assert builder.append(0, timestamp=0, key=key, value=codec.encode(command), headers=headers) is not None
    return len(builder.build())


@pytest.mark.parametrize("codec_number", CODECS.values(), ids=CODECS)
def test_no_command_fits_into_a_closed_topic(codec_number: int) -> None:
    for command in (creation(), report(Status.PICKED_UP), retraction(report(Status.PICKED_UP))):
        assert _size(command, codec_number) > 2 * CLOSED_BYTES


@pytest.mark.parametrize(("headers", "fits"), [(end_marker(1_000), True), (probe(), False)])
def test_an_end_marker_fits_into_a_closed_topic_and_a_probe_does_not(
    headers: codec.Headers, *, fits: bool
) -> None:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=_NO_LIMIT,
    )
    builder.append(0, timestamp=1 << 45, key=None, value=b"", headers=headers)
    assert (len(builder.build()) <= CLOSED_BYTES) is fits


def test_only_a_record_without_key_and_value_is_a_control_record() -> None:
    for value in (None, b""):
        marker = LogRecord(7, value, None, headers=tuple(end_marker(24)))
        assert is_end_marker(marker)
        assert is_control(marker)
        probing = LogRecord(7, value, None, headers=tuple(probe()))
        assert is_control(probing)
        assert not is_end_marker(probing)
    for odd in (
        LogRecord(7, b"{}", None, headers=tuple(end_marker(24))),
        LogRecord(7, None, b"key", headers=tuple(end_marker(24))),
        LogRecord(7, None, None),
    ):
        assert not is_control(odd)


def test_the_names_of_topics_tell_how_many_partitions_there_are() -> None:
    settings = SETTINGS.model_copy(update={"topic_prefix": "eu-1-"})
    topics = [Topics("eu-1-").events, "eu-1-shipments.events-36"]
    assert [each.partitions for each in generations_among(topics, settings)] == [12, 36]
