"""How clients write instants: RFC 3339 with its offset, nothing else, and a word on what is wrong.

pydantic would take more: numbers, a blank for the T, a date alone. Each of them has meant the wrong hour to
somebody.
"""

import re
import time
from datetime import datetime
from typing import Any, Final

MAX_AHEAD_S: Final = 300
EXAMPLE: Final = "2026-11-02T10:00:00-05:00"

_DATE: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME: Final = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
_FORM: Final = re.compile(rf"{_DATE}[Tt]{_TIME}(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])")
_MISTAKES: Final = (
    (re.compile(_DATE), "is a date without a time"),
    (
        re.compile(rf"{_DATE}[Tt]{_TIME}"),
        "has no offset, so it could mean any hour: append Z, or such as -05:00",
    ),
    (re.compile(rf"{_DATE}[ _].*", re.DOTALL), "must have a T between date and time"),
)
_LEAP_SECOND: Final = 60


def read_instant(value: Any) -> datetime:  # noqa: ANN401  # whatever a client sends
    """Return the instant that a client means, plausible for something that has happened.

    Raises:
        ValueError: it is none, is before 1970, or is more than `MAX_AHEAD_S` seconds ahead.
    """
    if not isinstance(value, str):
        raise ValueError(f"must be a text in RFC 3339, such as {EXAMPLE}")  # noqa: TRY004  # pydantic's way
    if _FORM.fullmatch(value) is None:
        raise ValueError(_mistake_of(value))
    try:
        instant = datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError(_absence_of(value)) from None
    _require_plausible(instant)
    return instant


def _require_plausible(instant: datetime) -> None:
    seconds = instant.timestamp()
    if seconds < 0:
        raise ValueError("must not be before 1970")
    if seconds > time.time() + MAX_AHEAD_S:
        raise ValueError(f"must not be more than {MAX_AHEAD_S // 60} minutes ahead")


def _mistake_of(text: str) -> str:
    for form, mistake in _MISTAKES:
        if form.fullmatch(text) is not None:
            return f"{mistake} (RFC 3339, such as {EXAMPLE})"
    return f"is no time in RFC 3339, such as {EXAMPLE}"


def _absence_of(text: str) -> str:
    if int(text[17:19]) == _LEAP_SECOND:
        return "leap seconds are not taken: seconds go from 00 to 59"
    return "is no instant of the calendar"
