"""Instants as Waybill writes them: UTC, milliseconds, RFC 3339 with `Z`."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

UTC_OFFSET_PATTERN: Final = r"[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]"

_MINUTE: Final = timedelta(minutes=1)
_TWO_DIGITS: Final = tuple(f"{number:02}" for number in range(60))
_THREE_DIGITS: Final = tuple(f"{number:03}" for number in range(1000))


def format_timestamp(instant: datetime) -> str:
    """Return an aware instant as `2026-01-02T03:04:05.678Z`; finer digits are cut off.

    Raises:
        ValueError: the instant has no zone, so its meaning is unknown.
    """
    # A quarter of what `isoformat` takes, which asks the zone for its offset and formats that too.
    utc = _utc(instant)
    return (
        f"{_day_text(utc.toordinal())}T{_TWO_DIGITS[utc.hour]}:{_TWO_DIGITS[utc.minute]}"
        f":{_TWO_DIGITS[utc.second]}.{_THREE_DIGITS[utc.microsecond // 1000]}Z"
    )


def parse_timestamp(text: str) -> datetime:
    """Return the instant that an RFC 3339 text means, in UTC, cut to milliseconds.

    Raises:
        ValueError: the text is no instant, or has no offset.
    """
    return to_milliseconds(datetime.fromisoformat(text))


def to_milliseconds(instant: datetime) -> datetime:
    """Return an aware instant in UTC, cut to milliseconds, the finest that the store keeps.

    Raises:
        ValueError: the instant has no zone.
    """
    utc = _utc(instant)
    finer = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - finer) if finer else utc


def utc_offset_of(instant: datetime) -> str | None:
    """Return the offset that an aware instant is written with, such as `-06:00`; None for UTC."""
    if instant.tzinfo is UTC:
        return None
    return _offset_text(instant.utcoffset())


@lru_cache(maxsize=256)
def _day_text(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


@lru_cache(maxsize=256)
def _offset_text(offset: timedelta | None) -> str | None:
    if not offset:
        return None
    hours, minutes = divmod(abs(offset) // _MINUTE, 60)
    return f"{'-' if offset < timedelta(0) else '+'}{hours:02}:{minutes:02}"


def _utc(instant: datetime) -> datetime:
    # Most are in UTC already, and `astimezone` costs a microsecond: four times an event.
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone could mean any hour")
    return instant.astimezone(UTC)
