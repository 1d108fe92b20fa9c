"""Instants: UTC with Z, milliseconds, whatever came in."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.timestamps import (
    UTC_OFFSET_PATTERN,
    format_timestamp,
    parse_timestamp,
    to_milliseconds,
    utc_offset_of,
)

WRITTEN = [
    ("2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00.000Z"),
    ("2026-03-01T12:00:00.123999+00:00", "2026-03-01T12:00:00.123Z"),
    ("2026-03-01T07:30:00.100000-05:00", "2026-03-01T12:30:00.100Z"),
    ("2026-03-01T00:15:00+05:45", "2026-02-28T18:30:00.000Z"),
    ("0999-03-01T12:00:00+00:00", "0999-03-01T12:00:00.000Z"),
]
# Not at the very ends of the calendar: there is no UTC for the first and the last hours in other zones.
instants = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1))  # noqa: DTZ001  # bounds are naive
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(("text", "expected"), WRITTEN)
def test_instants_are_written_in_utc_cut_to_milliseconds(text: str, expected: str) -> None:
    assert format_timestamp(datetime.fromisoformat(text)) == expected


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("2026-03-01T12:00:00Z", None),
        ("2026-03-01T12:00:00+00:00", None),
        ("2026-03-01T12:00:00-00:00", None),
        ("2026-03-01T12:00:00-06:00", "-06:00"),
        ("2026-03-01T12:00:00+05:45", "+05:45"),
        ("2026-03-01T12:00:00-00:30", "-00:30"),
        ("2026-03-01T12:00:00-23:59", "-23:59"),
    ],
)
def test_the_offset_of_an_instant_is_written_as_it_was_sent(text: str, offset: str | None) -> None:
    assert utc_offset_of(datetime.fromisoformat(text)) == offset
    assert offset is None or re.fullmatch(UTC_OFFSET_PATTERN, offset)


@pytest.mark.parametrize(("text", "written"), WRITTEN)
def test_an_instant_is_read_in_any_offset(text: str, written: str) -> None:
    assert parse_timestamp(text) == parse_timestamp(written)
    assert parse_timestamp(text).tzinfo is UTC
    assert format_timestamp(parse_timestamp(text)) == written


@given(instants, zones)
def test_what_is_written_is_the_instant_cut_to_milliseconds(naive: datetime, zone: timezone) -> None:
    instant = naive.replace(tzinfo=zone)
    cut = to_milliseconds(instant)
    assert timedelta(0) <= instant - cut < timedelta(milliseconds=1)
    assert (cut.microsecond % 1000, cut.tzinfo) == (0, UTC)
    assert parse_timestamp(format_timestamp(instant)) == cut == to_milliseconds(cut)
    assert format_timestamp(instant) == f"{cut.isoformat(timespec='milliseconds')[:-6]}Z"


@pytest.mark.parametrize("read", [format_timestamp, to_milliseconds], ids=["write", "cut"])
def test_an_instant_without_a_zone_is_refused(read: Callable[[datetime], object]) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        read(datetime(2026, 3, 1, 12))  # noqa: DTZ001  # the very thing that is refused


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00", "2026-03-01", "noon", "", "2026-13-01T12:00:00Z"])
def test_a_text_that_means_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"zone|isoformat|month"):
        parse_timestamp(text)
