"""The schedule of attempts: when a failed delivery is tried again, and when its endpoint is paused."""

from datetime import timedelta
from typing import Final

DELAYS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
"""Time from each attempt to the next; the first attempt is made at once."""

JITTER: Final = 0.2
LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
PAUSED_AFTER: Final = timedelta(days=5)
"""An endpoint is paused that has failed without one success for so long."""

BREAKER_FAILURES: Final = 10
_FIRST_PAUSE: Final = timedelta(seconds=1)
_LONGEST_PAUSE: Final = timedelta(seconds=60)


def next_delay(attempt: int, *, spread: float, retry_after: timedelta | None = None) -> timedelta | None:
    """Return the time from attempt number `attempt` (from 1) to the next, or None if it was the last.

    Args:
        attempt: number of attempts made.
        spread: from -1 to 1: where in the jitter the next one lies.
        retry_after: the least time that the receiver asked for; a day at most is granted.
    """
    if attempt > len(DELAYS):
        return None
    delay = DELAYS[attempt - 1] * (1 + JITTER * spread)
    if retry_after is None:
        return delay
    return max(delay, min(retry_after, LONGEST_RETRY_AFTER))


def breaker_pause(failures: int) -> timedelta:
    """Return the pause before the next attempt at an endpoint after `failures` in a row: none for a few."""
    beyond = failures - BREAKER_FAILURES
    if beyond < 0:
        return timedelta(0)
    return min(_FIRST_PAUSE * 2.0 ** min(beyond, 16), _LONGEST_PAUSE)
