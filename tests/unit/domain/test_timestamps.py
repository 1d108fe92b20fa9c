"""Instants: UTC with Z, milliseconds, whatever came in."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.timestamps import format_timestamp, to_milliseconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00.000Z"),
        ("2026-03-01T12:00:00.123999+00:00", "2026-03-01T12:00:00.123Z"),
        ("2026-03-01T07:30:00.100000-05:00", "2026-03-01T12:30:00.100Z"),
        ("2026-03-01T00:15:00+05:45", "2026-02-28T18:30:00.000Z"),
    ],
)
def test_timestamps_are_written_in_utc_cut_to_milliseconds(text: str, expected: str) -> None:
    assert format_timestamp(datetime.fromisoformat(text)) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_cutting_to_milliseconds_agrees_with_what_is_written(instant: datetime) -> None:
    cut = to_milliseconds(instant)
    assert cut == datetime.fromisoformat(format_timestamp(instant))
    assert to_milliseconds(cut) == cut
