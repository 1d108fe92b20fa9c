"""Times in files: with an offset, or of a zone that is given once for the whole file."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from waybill.importing.errors import InvalidTime, message

NO_TIME: Final = message("is no date with a time, such as 2026-11-30 14:05")
NO_DATE: Final = message("is no date of the calendar")
SKIPPED: Final = message("does not exist in this zone: clocks were put forward then")
REPEATED: Final = message("exists twice in this zone, for clocks were put back: write it with its offset")
NO_ZONE: Final = "has no offset, and no zone was given: --zone, such as --zone America/Mexico_City"
NO_ORDER: Final = message("may begin with the day or the month: say which")

_CLOCK: Final = (
    r"[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,6})\d*)?)?"
    r"(?:\s*(?P<half>[ap])\.?\s?m\.?)?(?:\s*(?P<offset>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?"
)
_YEAR_FIRST: Final = re.compile(
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _CLOCK, re.IGNORECASE
)
_COMPACT: Final = re.compile(
    r"(?P<year>(?:19|20)\d\d)(?P<month>\d{2})(?P<day>\d{2})[ T]?"
    r"(?P<hour>\d{2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2}))?"
    r"(?P<fraction>)(?P<half>)\s*(?P<offset>Z|UTC|[+-]\d{2}(?::?\d{2})?)?",
    re.IGNORECASE,
)
_DAY_FIRST: Final = re.compile(
    r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4}|\d{2})" + _CLOCK, re.IGNORECASE
)
_MONTH_FIRST: Final = re.compile(
    r"(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[-/.](?P<year>\d{4}|\d{2})" + _CLOCK, re.IGNORECASE
)
_RFC_3339: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})")
_SERIAL: Final = re.compile(r"[2-7]\d{4}[.,]\d+")
_SERIAL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001  # a sheet has no zones
"""Day 0 of Excel's numbers, right from March 1900 on: Excel has a 29 February 1900."""
_UNIX: Final = re.compile(r"\d{10}(?:\d{3})?")
_NOON: Final = 12
_CENTURY: Final = 2000
_SHORT_YEAR: Final = 2
"""Digits of a year without its century."""


class DateOrder(StrEnum):
    """Way in which a file writes its times; with the year first is always read."""

    YEAR_FIRST = "ymd"
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"
    UNIX = "unix"


_FORMS: Final = {
    DateOrder.YEAR_FIRST: (_YEAR_FIRST, _COMPACT),
    DateOrder.DAY_FIRST: (_YEAR_FIRST, _COMPACT, _DAY_FIRST),
    DateOrder.MONTH_FIRST: (_YEAR_FIRST, _COMPACT, _MONTH_FIRST),
    DateOrder.UNIX: (_YEAR_FIRST,),
}


def zone_of(name: str) -> ZoneInfo | None:
    """Return the time zone of a name, such as `America/Mexico_City`; None if there is none."""
    if name not in available_timezones():
        return None
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return None


def instant_of(text: str, zone: ZoneInfo | None, order: DateOrder) -> str:
    """Return a time in a file as RFC 3339 with an offset.

    Args:
        text: a date with a time, Excel's number of days, or with `DateOrder.UNIX` seconds since 1970.
        zone: of times without an offset; None: these are errors.
        order: of the parts of a date.

    Raises:
        InvalidTime: it is no time, or not one instant.
    """
    text = text.strip()
    if _RFC_3339.fullmatch(text):
        return text.replace(" ", "T").upper()
    if order is DateOrder.UNIX and _UNIX.fullmatch(text):
        return datetime.fromtimestamp(int(text[:10]), UTC).isoformat()
    if _SERIAL.fullmatch(text):
        return _in_zone(_of_serial(text), zone).isoformat()
    for form in _FORMS[order]:
        if found := form.fullmatch(text):
            return _instant(found, zone).isoformat()
    raise InvalidTime(NO_ORDER if _DAY_FIRST.fullmatch(text) else NO_TIME)


def _instant(found: re.Match[str], zone: ZoneInfo | None) -> datetime:
    local, offset = _local(found), found["offset"]
    if offset is None:
        return _in_zone(local, zone)
    if offset.upper() in {"Z", "UTC", "GMT"}:
        return local.replace(tzinfo=UTC)
    try:
        return datetime.fromisoformat(local.isoformat() + offset)
    except ValueError as error:
        raise InvalidTime(NO_TIME) from error


def _of_serial(text: str) -> datetime:
    """Return the local time of Excel's number of days, to the millisecond that its 15 digits hold."""
    milliseconds = round(float(text.replace(",", ".")) * 86_400_000)
    return _SERIAL_EPOCH + timedelta(milliseconds=milliseconds)


def _local(found: re.Match[str]) -> datetime:
    part = {name: int(found[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")}
    microsecond = int((found["fraction"] or "0").ljust(6, "0"))
    if len(found["year"]) == _SHORT_YEAR:
        part["year"] += _CENTURY
    try:
        part["hour"] = _hour(part["hour"], found["half"])
        return datetime(**part, microsecond=microsecond)  # type: ignore[arg-type]  # noqa: DTZ001  # its zone follows
    except ValueError as error:
        raise InvalidTime(NO_DATE) from error


def _hour(hour: int, half: str | None) -> int:
    if not half:
        return hour
    if not 1 <= hour <= _NOON:
        raise ValueError("hours with a. m. and p. m. go from 1 to 12")
    return hour % _NOON + (_NOON if half in "pP" else 0)


def _in_zone(local: datetime, zone: ZoneInfo | None) -> datetime:
    if zone is None:
        raise InvalidTime(NO_ZONE)
    instant = local.replace(tzinfo=zone)
    try:
        back = instant.astimezone(UTC).astimezone(zone)
    except OverflowError as error:  # the first and the last day that a datetime has
        raise InvalidTime(NO_DATE) from error
    if back.replace(tzinfo=None) != local:
        raise InvalidTime(SKIPPED)
    if instant.utcoffset() != instant.replace(fold=1).utcoffset():
        raise InvalidTime(REPEATED)
    return instant
