"""Times in pages: exactly, in UTC, and in words, by the formats of the page's language."""

from collections.abc import Callable
from datetime import UTC, datetime

from babel import Locale
from babel.dates import format_date, format_timedelta
from markupsafe import Markup

from domain.timestamps import format_timestamp, parse_timestamp, to_milliseconds

Instant = datetime | str
"""An aware instant, or its text as the API writes it."""


def _now() -> datetime:
    return datetime.now(UTC)


def moment(instant: Instant, locale: Locale) -> Markup:
    """Return an instant with its date, its time and its zone, as an element for people and programs.

    Hours go from 0 to 24 in all languages, as in logs.
    """
    at = _read(instant)
    text = f"{format_date(at, 'medium', locale=locale)}, {at:%H:%M:%S} UTC"
    return Markup('<time datetime="{}">{}</time>').format(format_timestamp(at), text)


def ago(instant: Instant, locale: Locale, *, now: Callable[[], datetime] = _now) -> str:
    """Return how long ago an instant was, or in what time it comes: "12 minutes ago", "in 3 days"."""
    distance = _read(instant) - now()
    return str(format_timedelta(distance, add_direction=True, locale=locale))


def _read(instant: Instant) -> datetime:
    return parse_timestamp(instant) if isinstance(instant, str) else to_milliseconds(instant)
