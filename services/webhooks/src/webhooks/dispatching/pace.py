"""The pace of an endpoint's attempts, by its rate."""

import time
from typing import Final

_BURST_S: Final = 0.01
"""Delay of a timer that may be caught up with."""


class Pace:
    """Moments at which the next attempt may begin, one after the other."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def wait_s(self) -> float:
        """Return the seconds until the next attempt may begin: 0 or less for now."""
        return self._next_at - time.monotonic()

    def begin(self, rate_per_s: float | None) -> None:
        """Note that an attempt begins now; None: the next one may at once."""
        interval_s = 0.0 if rate_per_s is None else 1 / rate_per_s
        self._next_at = max(self._next_at, time.monotonic() - _BURST_S) + interval_s
