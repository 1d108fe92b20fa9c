"""Rate limits by the generic cell rate algorithm (GCRA).

One number is stored per caller: the instant at which its bucket is full again. All else follows from how far
away that is, the backlog. Times are whole microseconds.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit: a burst of `limit`, and on average `limit` in each window.

    Attributes:
        name: of the budget, as callers see it.
    """

    name: str
    limit: int
    window_s: int

    @property
    def interval_us(self) -> int:
        """The time in which one more becomes free."""
        return max(1, self.window_s * _US // self.limit)


class Grant(NamedTuple):
    """The result of taking from a quota.

    Attributes:
        granted: how many of those requested; 0 is a refusal.
        remaining: how many are left at this moment.
        retry_after_s: when one becomes free; 0 while some remain.
        reset_after_s: when all are free again.
    """

    granted: int
    remaining: int
    retry_after_s: float
    reset_after_s: float


def grant_of(quota: Quota, *, granted: int, backlog_us: int, held: int = 0) -> Grant:
    """Describe a bucket that is full again in `backlog_us`, after `granted` were taken from it.

    Args:
        quota: of the bucket.
        granted: how many the caller got.
        backlog_us: how far away the instant is at which the bucket is full.
        held: how many were taken out before and are still to be used.
    """
    interval = quota.interval_us
    missing_us = backlog_us - (quota.limit - 1) * interval
    return Grant(
        granted=granted,
        remaining=min(quota.limit, max(0, (quota.limit * interval - backlog_us) // interval) + held),
        retry_after_s=max(0, missing_us) / _US,
        reset_after_s=max(0, backlog_us) / _US,
    )


def take(quota: Quota, *, backlog_us: int, wanted: int) -> tuple[int, int]:
    """Take up to `wanted` from a bucket that is full again in `backlog_us`.

    Returns:
        How many were granted, and the backlog after it.
    """
    interval = quota.interval_us
    backlog_us = max(0, backlog_us)
    free = max(0, (quota.limit * interval - backlog_us) // interval)
    granted = min(wanted, free)
    return granted, backlog_us + granted * interval


def give_back(quota: Quota, *, backlog_us: int, amount: int) -> int:
    """Return the backlog of a bucket after `amount` were given back to it."""
    return max(0, backlog_us - amount * quota.interval_us)
