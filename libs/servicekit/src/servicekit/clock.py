"""The system clock."""

from datetime import UTC, datetime

from domain.timestamps import to_milliseconds


class SystemClock:
    """`Clock` of this machine, in milliseconds."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return to_milliseconds(datetime.now(UTC))
