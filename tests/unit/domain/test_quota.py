"""Quotas and lockout: the arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access.lockout import LockPolicy, lock_s
from domain.access.rate_limit import Quota, give_back, grant_of, take

QUOTA = Quota("reads", 10, 1)


def test_a_full_bucket_gives_its_limit_and_then_nothing() -> None:
    granted, backlog_us = take(QUOTA, backlog_us=0, wanted=12)
    assert (granted, backlog_us) == (10, 1_000_000)
    assert take(QUOTA, backlog_us=backlog_us, wanted=1) == (0, 1_000_000)


def test_one_becomes_free_after_each_interval() -> None:
    assert take(QUOTA, backlog_us=900_000, wanted=5) == (1, 1_000_000)
    assert take(QUOTA, backlog_us=900_001, wanted=5)[0] == 0


def test_a_refusal_says_when_to_come_again() -> None:
    grant = grant_of(QUOTA, granted=0, backlog_us=970_000)
    assert (grant.remaining, grant.retry_after_s, grant.reset_after_s) == (0, 0.07, 0.97)


def test_a_bucket_takes_back_what_it_gave_and_is_never_more_than_full() -> None:
    assert give_back(QUOTA, backlog_us=1_000_000, amount=9) == 100_000
    assert give_back(QUOTA, backlog_us=100_000, amount=9) == 0


@given(
    limit=st.integers(1, 50),
    window=st.integers(1, 60),
    steps=st.lists(st.tuples(st.integers(0, 5_000_000), st.integers(1, 9))),
)
def test_never_more_than_the_limit_and_what_became_free(
    limit: int, window: int, steps: list[tuple[int, int]]
) -> None:
    quota = Quota("any", limit, window)
    backlog_us = passed_us = total = 0
    for pause_us, wanted in steps:
        passed_us += pause_us
        granted, backlog_us = take(quota, backlog_us=backlog_us - pause_us, wanted=wanted)
        total += granted
        grant = grant_of(quota, granted=granted, backlog_us=backlog_us)
        assert total <= limit + passed_us // quota.interval_us
        assert (grant.remaining > 0) == (grant.retry_after_s == 0)


@pytest.mark.parametrize(
    ("failures", "expected"), [(0, 0), (4, 0), (5, 1), (6, 2), (10, 32), (15, 900), (5_000, 900)]
)
def test_locks_double_up_to_a_bound(failures: int, expected: float) -> None:
    assert lock_s(LockPolicy(free=5), failures) == expected
