"""Words for days and hours, in a language and in the zone where things happen."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from types import MappingProxyType
from typing import Final

from babel.dates import format_date, format_skeleton, format_time, format_timedelta

from domain.shipments.public_view import ExpectedDelivery
from domain.timestamps import utc_offset_of
from portal.web.languages import Language, message

NOON: Final = time(12)
WEEK: Final = timedelta(days=6)
WHOLE_DAY: Final = timedelta(hours=23)
_DAY: Final = timedelta(days=1)
_ON: Final[Mapping[int, str]] = MappingProxyType(
    dict(
        enumerate(
            (
                message("on Monday"),
                message("on Tuesday"),
                message("on Wednesday"),
                message("on Thursday"),
                message("on Friday"),
                message("on Saturday"),
                message("on Sunday"),
            )
        )
    )
)


def zone_of(utc_offset: str) -> tzinfo:
    """Return the zone of an offset such as `-06:00`."""
    sign = -1 if utc_offset.startswith("-") else 1
    hours, minutes = utc_offset[1:].split(":")
    return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))


def zone_name(instant: datetime) -> str:
    """Return the zone of a local time: "UTC", or that with an offset."""
    return f"UTC{utc_offset_of(instant) or ''}".replace("-", "\N{MINUS SIGN}")


def on_day(day: date, today: date, language: Language) -> str:
    """Return a day as part of a sentence: "today", "on Tuesday", "on November 12"."""
    near = _near_day(day, today, language)
    if near is not None:
        return near
    if abs(day - today) <= WEEK:
        return language.gettext(_ON[day.weekday()])
    return language.gettext(message("on %(date)s")) % {"date": _long_date(day, today, language)}


def day_and_time(local: datetime, today: date, language: Language) -> str:
    """Return a time of a list: "today, 12:05", "Tue, Nov 24, 12:05"."""
    day = _near_day(local.date(), today, language) or _short_date(local, today, language)
    return language.gettext(message("%(day)s, %(time)s")) % {"day": day, "time": clock_time(local, language)}


def clock_time(local: datetime, language: Language) -> str:
    """Return the hour and the minute of a local time."""
    return str(format_time(local, "short", tzinfo=local.tzinfo, locale=language.locale))


def exactly(local: datetime, language: Language) -> str:
    """Return a local time with its date and its zone."""
    text = language.gettext(message("%(day)s, %(time)s")) % {
        "day": format_date(local, "medium", locale=language.locale),
        "time": clock_time(local, language),
    }
    return f"{text} {zone_name(local)}"


def how_long_ago(instant: datetime, now: datetime, language: Language) -> str:
    """Return how long ago something was; never that it will be."""
    passed = min(instant - now, timedelta(seconds=-1))
    return str(format_timedelta(passed, add_direction=True, threshold=1, locale=language.locale))


def arrival(expected: ExpectedDelivery, now: datetime, zone: tzinfo, language: Language) -> str:
    """Return the sentence about an expected delivery, as it stands at `now`."""
    first, last = (each.astimezone(zone) for each in (expected.earliest, expected.latest))
    if expected.latest < now:
        return language.gettext(message("Later than planned"))
    if first.date() != last.date() and last - first > WHOLE_DAY:
        return language.gettext(message("Expected between %(first)s and %(last)s")) % {
            "first": _long_date(first.date(), now.date(), language),
            "last": _long_date(last.date(), now.date(), language),
        }
    day = on_day(first.date(), now.astimezone(zone).date(), language)
    if last - first >= WHOLE_DAY:
        return language.gettext(message("Expected %(day)s")) % {"day": day}
    if first == last:
        return language.gettext(message("Expected %(day)s, around %(time)s")) % {
            "day": day,
            "time": clock_time(first, language),
        }
    return language.gettext(message("Expected %(day)s, between %(earliest)s and %(latest)s")) % {
        "day": day,
        "earliest": clock_time(first, language),
        "latest": clock_time(last, language),
    }


def _near_day(day: date, today: date, language: Language) -> str | None:
    if day == today:
        return language.gettext(message("today"))
    if day == today - _DAY:
        return language.gettext(message("yesterday"))
    if day == today + _DAY:
        return language.gettext(message("tomorrow"))
    return None


def _short_date(local: datetime, today: date, language: Language) -> str:
    skeleton = "MMMEd" if local.year == today.year else "yMMMEd"
    return str(format_skeleton(skeleton, local, tzinfo=local.tzinfo, locale=language.locale))


def _long_date(day: date, today: date, language: Language) -> str:
    if day.year != today.year:
        return str(format_date(day, "long", locale=language.locale))
    return str(format_skeleton("MMMMd", datetime.combine(day, NOON, UTC), locale=language.locale))
