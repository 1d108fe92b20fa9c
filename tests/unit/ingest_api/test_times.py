"""Timestamps and strings: rejected values, and their messages."""

from datetime import UTC, datetime

import pytest

from httpkit.request.texts import require_line, require_text
from ingest_api.schemas.events import read_instant


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00Z", "2026-03-01t07:00:00.000000-05:00", "2026-03-01T12:00:00.0-00:00"]
)
def test_rfc_3339_is_read(text: str) -> None:
    assert read_instant(text) == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("2026-11-02T10:00:00", "no offset"),
        ("2026-11-02", "date without a time"),
        ("2026-11-02 10:00:00Z", "a T between"),
        (1_767_225_600, "must be a text"),
        (True, "must be a text"),
        ("1767225600", "is a number"),
        ("2026-11-02T10:00:00,5Z", "a comma"),
        ("2026-11-02T10:00:00 Z", "a blank before the offset"),
        ("2026-11-02T10:00:00 05:00", "%2B"),
        (" 2026-11-02T10:00:00Z", "begins or ends with a blank"),
        ("2026-11-02T10:00:00Z\n", "begins or ends with a blank"),
        ("2026-11-02T10:00Z", "no seconds"),
        ("2026-11-02T10:00:00-0500", "not like -05:00"),
        ("2026-11-02T10:00:00-05", "not like -05:00"),
        ("2026-11-02T10:00:00[America/Bogota]", "names a zone"),
        ("2026-11-02T10:00:00 UTC", "names a zone"),
        ("2026-11-02T10:00:00.1234567890Z", "more than 9 digits"),
        ("9" * 100_000, "no time in RFC 3339"),
        ("2016-12-31T23:59:60Z", "leap seconds"),
        ("2026-02-30T10:00:00Z", "no instant of the calendar"),
        ("2026-02-03T24:00:00Z", "no instant of the calendar"),
        ("2026-02-03T12:00:00+05:99", "no time in RFC 3339"),
        ("\uff12026-02-03T12:00:00Z", "no time in RFC 3339"),
        ("1969-12-31T23:59:59Z", "before 1970"),
        ("2999-01-01T00:00:00Z", "ahead"),
    ],
)
def test_invalid_timestamp_is_described(value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_instant(value)


@pytest.mark.parametrize(
    "character", ["\0", "\x1f", "\x7f", "\x85", "\ufdd0", "\uffff", "\U0010fffe", "\ud800"]
)
def test_strings_have_no_control_characters(character: str) -> None:
    for require in (require_line, require_text):
        with pytest.raises(ValueError, match=f"U\\+{ord(character):04X}, which is at character 2"):
            require(f"a{character}")


@pytest.mark.parametrize("character", ["\n", "\t", "\r", "\u2028", "\u2029"])
def test_only_long_strings_may_have_line_breaks(character: str) -> None:
    assert require_text(f"a{character}b")
    with pytest.raises(ValueError, match="must not contain"):
        require_line(f"a{character}b")
