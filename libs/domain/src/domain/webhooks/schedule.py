"""The schedule of attempts: when a failed delivery is tried again, and how soon its endpoint is."""

from datetime import datetime, timedelta
from typing import Final

from domain.values import value
from domain.webhooks.delivery import FINAL_ERRORS, TOO_MANY_REQUESTS, Attempt, DeliveryState

DELAYS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
"""Time from each attempt to the next; the first attempt is made at once."""

JITTER: Final = 0.2
LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
LONGEST_REST: Final = timedelta(seconds=60)
"""Longest time that an endpoint is given none of its deliveries."""

BREAKER_FAILURES: Final = 10
_FIRST_PAUSE: Final = timedelta(seconds=1)
_MOST_DOUBLINGS: Final = 16


@value()
class Resolution:
    """State of a delivery after an attempt.

    Attributes:
        due_at: of the next attempt; None if there is none.
    """

    state: DeliveryState
    due_at: datetime | None


def resolve(attempt: Attempt, number: int, *, spread: float, now: datetime) -> Resolution:
    """Return what becomes of a delivery after attempt number `number` (from 1) of its schedule.

    Args:
        attempt: as it ended.
        number: number of attempts made, with this one.
        spread: from -1 to 1: where in the jitter the next one lies.
        now: when the attempt ended; the next one is later.
    """
    if attempt.succeeded:
        return Resolution(DeliveryState.DELIVERED, None)
    delay = None if attempt.error in FINAL_ERRORS else next_delay(number, attempt, spread=spread)
    if delay is None:
        return Resolution(DeliveryState.FAILED, None)
    return Resolution(DeliveryState.PENDING, now + delay)


def next_delay(number: int, attempt: Attempt, *, spread: float) -> timedelta | None:
    """Return the time from an attempt to the next, or None if it was the last; see `resolve`.

    It is at least what the receiver asked for, of which a day is granted.
    """
    if number > len(DELAYS):
        return None
    delay = DELAYS[number - 1] * (1 + JITTER * spread)
    return max(delay, _asked_for(attempt, LONGEST_RETRY_AFTER))


def rest_after(attempt: Attempt, failures: int) -> timedelta:
    """Return how long an endpoint is given no delivery after an attempt: not at all, as a rule.

    A receiver that gets too much says for how long; one that fails again and again is tried ever less often.

    Args:
        attempt: the last one.
        failures: number of attempts in a row that have failed, with this one.
    """
    asked = _asked_for(attempt, LONGEST_REST) if attempt.status_code == TOO_MANY_REQUESTS else timedelta(0)
    return max(asked, breaker_pause(failures))


def breaker_pause(failures: int) -> timedelta:
    """Return the pause before the next attempt at an endpoint after `failures` in a row: none for a few."""
    beyond = failures - BREAKER_FAILURES
    if beyond < 0:
        return timedelta(0)
    return min(_FIRST_PAUSE * 2.0 ** min(beyond, _MOST_DOUBLINGS), LONGEST_REST)


def _asked_for(attempt: Attempt, most: timedelta) -> timedelta:
    if attempt.retry_after_s is None:
        return timedelta(0)
    return timedelta(seconds=min(max(attempt.retry_after_s, 0.0), most.total_seconds()))
