"""The `Retry-After` header, in both of its forms."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from domain.webhooks.delivery import SERVICE_UNAVAILABLE, TOO_MANY_REQUESTS

_STATUSES: Final = (TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE)
_SECONDS: Final = re.compile(r"\d{1,9}", re.ASCII)


def retry_after_s(status: int, header: str | None, now: datetime) -> float | None:
    """Return the seconds that a receiver asks to wait, 0 for a past date; None if it does not ask.

    Args:
        status: of the response; only that of 429 and 503 is honoured.
        header: seconds, or an HTTP date; anything else counts as none.
        now: for dates.
    """
    if header is None or status not in _STATUSES:
        return None
    if _SECONDS.fullmatch(header.strip()):
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return max((_aware(date) - now).total_seconds(), 0.0)


def _aware(date: datetime) -> datetime:
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
