"""A clock that advances only on request."""

from datetime import UTC, datetime, timedelta


class FixedClock:
    """Tells the time it was given."""

    def __init__(self, now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the time it was given, moved by every `advance` since."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self._now += by
