"""Cursors: round trips, and rejection of every cursor of another list."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ports.queries import Position
from httpkit.listing.cursors import Cursor, InvalidCursor, read_cursor, write_cursor
from tests.support.builders import NOON, NUMBER

CURSOR = Cursor(Position(NOON, NUMBER), 10)
TEXT = write_cursor(CURSOR, "shipments")

INSTANTS = st.integers(-62_000_000_000_000, 253_000_000_000_000).map(
    lambda instant_ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant_ms)
)


@given(
    INSTANTS, st.text(max_size=60).filter(lambda text: text.isascii()), st.integers(0, 2**32 - 1), st.text()
)
def test_a_cursor_is_read_as_it_was_written(instant: datetime, id_: str, shown: int, listed: str) -> None:
    cursor = Cursor(Position(instant, id_), shown)
    text = write_cursor(cursor, listed.encode(errors="replace").decode())
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert read_cursor(text, listed.encode(errors="replace").decode()) == cursor


def test_cursor_is_valid_for_its_own_list_only() -> None:
    with pytest.raises(InvalidCursor):
        read_cursor(TEXT, "events")


@pytest.mark.parametrize("place", range(len(TEXT)))
def test_cursor_with_one_character_changed_is_invalid(place: int) -> None:
    other = "A" if TEXT[place] != "A" else "B"
    with pytest.raises(InvalidCursor):
        read_cursor(f"{TEXT[:place]}{other}{TEXT[place + 1 :]}", "shipments")


@pytest.mark.parametrize("end", range(len(TEXT)))
def test_truncated_cursor_is_invalid(end: int) -> None:
    with pytest.raises(InvalidCursor):
        read_cursor(TEXT[:end], "shipments")


def test_cursor_of_another_version_is_invalid() -> None:
    raw = bytearray(base64.urlsafe_b64decode(TEXT + "=" * (-len(TEXT) % 4)))
    raw[0] += 1
    with pytest.raises(InvalidCursor):
        read_cursor(base64.urlsafe_b64encode(raw).decode().rstrip("="), "shipments")


@given(st.text(max_size=200))
def test_garbage_is_not_a_cursor(text: str) -> None:
    with pytest.raises(InvalidCursor):
        read_cursor(text, "shipments")


@pytest.mark.parametrize("text", [TEXT + "=", TEXT + "A", " " + TEXT, TEXT + "\n", TEXT.replace("_", "/")])
def test_cursor_in_another_encoding_is_invalid(text: str) -> None:
    if text != TEXT:
        with pytest.raises(InvalidCursor):
            read_cursor(text, "shipments")


def test_cursor_times_are_truncated_to_milliseconds() -> None:
    finer = Cursor(Position(NOON + timedelta(microseconds=999), NUMBER), 10)
    assert read_cursor(write_cursor(finer, "shipments"), "shipments") == CURSOR
