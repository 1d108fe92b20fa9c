"""Measured numbers in pages, by the formats of the page's language."""

import math
from datetime import UTC, datetime
from typing import Final

from babel import Locale
from babel.numbers import format_decimal

_DIGITS: Final = 3


def figure(value: float, locale: Locale) -> str:
    """Return a measured number with three significant digits, and whole from a hundred on."""
    if value == 0:
        return "0"
    places = max(0, _DIGITS - 1 - math.floor(math.log10(abs(value))))
    return str(format_decimal(round(value, places), f"#,##0.{'#' * min(places, 6)}", locale=locale))


def instant_of(seconds: float) -> datetime:
    """Return the instant of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
