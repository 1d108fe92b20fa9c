"""When a failed delivery is tried again, how soon its endpoint is, and when that is paused."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.webhooks.delivery import Attempt, AttemptError, DeliveryState
from domain.webhooks.endpoint import PauseReason
from domain.webhooks.health import HEALTHY, PAUSED_AFTER, Health
from domain.webhooks.schedule import DELAYS, LONGEST_REST, breaker_pause, resolve, rest_after
from tests.support.builders import RECORDED_AT

NOW = RECORDED_AT
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def attempt(
    status: int | None = 500,
    *,
    error: AttemptError | None = AttemptError.STATUS,
    at: datetime = NOW,
    retry_after_s: float | None = None,
) -> Attempt:
    return Attempt(at=at, status_code=status, duration_ms=3, error=error, retry_after_s=retry_after_s)


SUCCESS = attempt(204, error=None)
FAILURE = attempt()


def test_success_ends_a_delivery() -> None:
    resolution = resolve(SUCCESS, 3, spread=0, now=NOW)
    assert (resolution.state, resolution.due_at) == (DeliveryState.DELIVERED, None)


def test_failed_delivery_is_tried_ten_times_in_three_days() -> None:
    now, begun = NOW, [NOW]
    for number in range(1, 11):
        resolution = resolve(FAILURE, number, spread=0, now=now)
        if resolution.due_at is None:
            break
        now = resolution.due_at
        begun.append(now)
    assert resolution.state is DeliveryState.FAILED
    waits = [later - earlier for earlier, later in pairwise(begun)]
    assert waits == [
        timedelta(seconds=5),
        5 * MINUTE,
        30 * MINUTE,
        *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24)),
    ]


@given(
    st.integers(1, len(DELAYS)), st.floats(-1, 1), st.none() | st.floats(allow_nan=False, allow_infinity=True)
)
def test_next_attempt_is_later_within_the_jitter_and_never_before_what_was_asked_for(
    number: int, spread: float, retry_after_s: float | None
) -> None:
    due_at = resolve(attempt(503, retry_after_s=retry_after_s), number, spread=spread, now=NOW).due_at
    assert due_at is not None
    delay, asked = DELAYS[number - 1], timedelta(seconds=min(max(retry_after_s or 0, 0), 24 * 3600))
    assert due_at > NOW
    assert max(0.8 * delay, asked) <= due_at - NOW <= max(1.2 * delay, asked)


@pytest.mark.parametrize("error", [AttemptError.ADDRESS_NOT_ALLOWED, AttemptError.MESSAGE_EXPIRED])
def test_final_error_fails_a_delivery_at_once(error: AttemptError) -> None:
    assert resolve(attempt(None, error=error), 1, spread=0, now=NOW).state is DeliveryState.FAILED


def test_breaker_opens_after_ten_failures_and_pauses_ever_longer() -> None:
    pauses = [breaker_pause(failures) / timedelta(seconds=1) for failures in range(8, 18)]
    assert pauses == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert breaker_pause(10_000) == timedelta(seconds=60)


def test_too_many_requests_rest_the_endpoint_and_an_unavailable_one_only_its_delivery() -> None:
    assert rest_after(attempt(429, retry_after_s=30), 1) == timedelta(seconds=30)
    assert rest_after(attempt(429, retry_after_s=3600), 1) == LONGEST_REST
    assert rest_after(attempt(429), 1) == timedelta(0)
    assert rest_after(attempt(503, retry_after_s=30), 1) == timedelta(0)
    assert rest_after(attempt(429, retry_after_s=2), 13) == timedelta(seconds=8)


def test_hour_of_failures_opens_the_breaker_and_one_success_closes_it() -> None:
    health, now = HEALTHY, NOW
    attempts = 0
    while now < NOW + HOUR:
        attempts += 1
        failed = attempt(at=now)
        health = health.after(failed)
        assert health.pause_reason(failed) is None
        now += max(rest_after(failed, health.failures), timedelta(milliseconds=5))
    assert health.is_open
    assert attempts < 80
    assert health.failing_since == NOW
    assert health.after(SUCCESS) == HEALTHY


def test_endpoint_is_paused_after_five_days_without_a_success() -> None:
    first = attempt(at=NOW)
    health = HEALTHY.after(first)
    almost = attempt(at=NOW + PAUSED_AFTER - timedelta(seconds=1))
    health = health.after(almost)
    assert health.pause_reason(almost) is None
    last = attempt(at=NOW + PAUSED_AFTER)
    assert health.after(last).pause_reason(last) is PauseReason.FAILING


def test_success_begins_the_five_days_again() -> None:
    health = Health(40, NOW).after(SUCCESS)
    late = attempt(at=NOW + 2 * PAUSED_AFTER)
    assert health.after(late).pause_reason(late) is None


def test_gone_pauses_at_once() -> None:
    gone = attempt(410)
    assert HEALTHY.after(gone).pause_reason(gone) is PauseReason.GONE
