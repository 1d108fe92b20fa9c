"""Times in pages: exactly, in UTC, and in words, by the formats of the page's language."""

from collections.abc import Callable
from datetime import UTC, datetime

from babel import Locale
from babel.dates import format_datetime, format_timedelta
from markupsafe import Markup

from domain.timestamps import format_timestamp, parse_timestamp

Instant = datetime | str
"""An aware instant, or its text as the API writes it."""


def _now() -> datetime:
    return datetime.now(UTC)


def moment(instant: Instant, locale: Locale) -> Markup:
    """Return an instant with its date, its time and its zone, as an element for people and programs."""
    at = _read(instant)
    text = f"{format_datetime(at, 'medium', tzinfo=UTC, locale=locale)} UTC"
    return Markup('<time datetime="{}">{}</time>').format(format_timestamp(at), text)


def ago(instant: Instant, locale: Locale, *, now: Callable[[], datetime] = _now) -> str:
    """Return how long ago an instant was, or in what time it comes: "12 minutes ago", "in 3 days"."""
    distance = _read(instant) - now()
    return str(format_timedelta(distance, add_direction=True, locale=locale))


def _read(instant: Instant) -> datetime:
    return parse_timestamp(instant) if isinstance(instant, str) else instant
