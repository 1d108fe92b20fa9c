"""Timestamps from clients: RFC 3339 with an offset, nothing else, with an error message for each mistake.

pydantic would accept more: numbers, a blank for the T, a date alone. Each of these can mean the wrong hour.
"""

import re
from datetime import datetime
from typing import Any, Final

EXAMPLE: Final = "2026-11-02T10:00:00-05:00"

_DATE: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK: Final = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
_TIME: Final = rf"{_CLOCK}(?:\.[0-9]{{1,9}})?"
_OFFSET: Final = "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_FORM: Final = re.compile(rf"{_DATE}[Tt]{_TIME}{_OFFSET}")
_MISTAKES: Final = tuple(
    (re.compile(form, re.DOTALL), mistake)
    for form, mistake in (
        (r"\s.*|.*\s", "begins or ends with a blank"),
        (_DATE, "is a date without a time"),
        (r"[0-9]+(?:\.[0-9]*)?", "is a number, which could count seconds or milliseconds"),
        (rf"{_DATE}[ _].*", "must have a T between date and time"),
        (rf"{_DATE}[Tt][0-9]{{2}}:[0-9]{{2}}(?:[Zz+-].*)?", "has no seconds"),
        (rf"{_DATE}[Tt]{_CLOCK},.*", "has a comma where a point belongs"),
        (
            rf"{_DATE}[Tt]{_TIME} [0-9]{{2}}:?[0-9]{{2}}",
            "has a blank in the place of the offset's sign (in a query, + is written as %2B)",
        ),
        (rf"{_DATE}[Tt]{_TIME}\s+{_OFFSET}", "has a blank before the offset"),
        (
            rf"{_DATE}[Tt]{_TIME}",
            "has no offset, so it could mean any hour: append Z, or such as -05:00",
        ),
        (rf"{_DATE}[Tt]{_CLOCK}\.[0-9]{{10,}}.*", "has more than 9 digits behind the point"),
        (
            rf"{_DATE}[Tt]{_TIME}[+-][0-9]{{1,2}}(?:[0-9]{{2}})?",
            "has an offset that is not like -05:00",
        ),
        (rf"{_DATE}[Tt]{_TIME}{_OFFSET}?\s*\[?[A-Za-z].*", "names a zone: send its offset at that time"),
    )
)
_LEAP_SECOND: Final = 60
_LONGEST: Final = 100
"""Longer values get the general error message."""


def parse_instant(value: Any) -> datetime:  # noqa: ANN401  # whatever a client sends
    """Parse a timestamp, keeping the offset that it was written with.

    Raises:
        ValueError: it is not valid; the text says why.
    """
    if not isinstance(value, str):
        raise ValueError(f"must be a text in RFC 3339, such as {EXAMPLE}")  # noqa: TRY004  # pydantic's way
    if _FORM.fullmatch(value) is None:
        raise ValueError(_mistake_of(value))
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError(_absence_of(value)) from None


def _mistake_of(text: str) -> str:
    if len(text) <= _LONGEST:
        for form, mistake in _MISTAKES:
            if form.fullmatch(text) is not None:
                return f"{mistake} (RFC 3339, such as {EXAMPLE})"
    return f"is no time in RFC 3339, such as {EXAMPLE}"


def _absence_of(text: str) -> str:
    if int(text[17:19]) == _LEAP_SECOND:
        return "leap seconds are not taken: seconds go from 00 to 59"
    return "is no instant of the calendar"
