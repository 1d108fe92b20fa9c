"""The one place that asks the machine for the time."""

from datetime import UTC, datetime

from domain.timestamps import to_milliseconds


class SystemClock:
    """`Clock` of this machine, in the precision that Waybill keeps."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return to_milliseconds(datetime.now(UTC))
