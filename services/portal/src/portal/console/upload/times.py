"""Times in files: with an offset, or of a zone that is given once for the whole file."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from portal.web.languages import message

NO_TIME: Final = message("is no date with a time, such as 2026-11-30 14:05")
NO_DATE: Final = message("is no date of the calendar")
SKIPPED: Final = message("does not exist in this zone: clocks were put forward then")
REPEATED: Final = message("exists twice in this zone, for clocks were put back: write it with its offset")

_CLOCK: Final = (
    r"[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,6}))?)?"
    r"(?:\s*(?P<half>[ap])\.?\s?m\.?)?"
)
_YEAR_FIRST: Final = re.compile(
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _CLOCK, re.IGNORECASE
)
_DAY_FIRST: Final = re.compile(
    r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4})" + _CLOCK, re.IGNORECASE
)
_MONTH_FIRST: Final = re.compile(
    r"(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[-/.](?P<year>\d{4})" + _CLOCK, re.IGNORECASE
)
_WITH_OFFSET: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})")
_NOON: Final = 12


class DateOrder(StrEnum):
    """Order of the parts of a date in a file; the year first is always read."""

    YEAR_FIRST = "ymd"
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


_FORMS: Final = {
    DateOrder.YEAR_FIRST: (_YEAR_FIRST,),
    DateOrder.DAY_FIRST: (_YEAR_FIRST, _DAY_FIRST),
    DateOrder.MONTH_FIRST: (_YEAR_FIRST, _MONTH_FIRST),
}


class InvalidTime(ValueError):
    """A text that is no time; its own text is a message for the catalogues."""


def zone_of(name: str) -> ZoneInfo | None:
    """Return the time zone of a name, such as `America/Mexico_City`; None if there is none."""
    if name not in available_timezones():
        return None
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return None


def instant_of(text: str, zone: ZoneInfo, order: DateOrder) -> str:
    """Return a time in a file as RFC 3339 with an offset.

    Raises:
        InvalidTime: it is no time, or not one instant.
    """
    if _WITH_OFFSET.fullmatch(text):
        return text.replace(" ", "T").upper()
    for form in _FORMS[order]:
        if found := form.fullmatch(text.strip()):
            return _in_zone(_local(found), zone).isoformat()
    raise InvalidTime(NO_TIME)


def _local(found: re.Match[str]) -> datetime:
    part = {name: int(found[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")}
    microsecond = int((found["fraction"] or "0").ljust(6, "0"))
    try:
        part["hour"] = _hour(part["hour"], found["half"])
        return datetime(**part, microsecond=microsecond)  # type: ignore[arg-type]  # noqa: DTZ001  # its zone follows
    except ValueError as error:
        raise InvalidTime(NO_DATE) from error


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= _NOON:
        raise ValueError("hours with a. m. and p. m. go from 1 to 12")
    return hour % _NOON + (_NOON if half in "pP" else 0)


def _in_zone(local: datetime, zone: ZoneInfo) -> datetime:
    instant = local.replace(tzinfo=zone)
    if instant.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise InvalidTime(SKIPPED)
    if instant.utcoffset() != instant.replace(fold=1).utcoffset():
        raise InvalidTime(REPEATED)
    return instant
