"""Retry policy: whether a failed attempt is repeated, and when; without input and output."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from waybill.errors import ApiError, ConnectionFailed, NotFound, WaybillError
from waybill.operations import CANCEL_SHIPMENT, Operation, Repeats

FIRST_DELAY_S: Final = 0.25
LONGEST_DELAY_S: Final = 8.0

TEMPORARY: Final = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may succeed later."""
_NOT_EXECUTED: Final = frozenset({429, 503})


class RetryPolicy(NamedTuple):
    """Bounds of the retries of one call.

    Attributes:
        retries: attempts after the first; 0: none.
        total_s: seconds after the first attempt in which a retry may begin.
    """

    retries: int = 4
    total_s: float = 60.0


class Attempts:
    """Attempts of one call.

    The delay grows exponentially with full jitter, so that clients that failed together do not come back
    together; `Retry-After` is a lower bound of it.

    Args:
        names_version: the call has `If-Match`.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, operation: Operation, policy: RetryPolicy, clock: Callable[[], float], *, names_version: bool
    ) -> None:
        self._operation = operation
        self._policy = policy
        self._clock = clock
        self._started_s = clock()
        self._retries = 0
        self._may_be_executed = False
        repeats = operation.repeats
        self._is_safe = repeats is Repeats.SAFE or (repeats is Repeats.IF_MATCH and names_version)

    def next_delay_s(self, failure: WaybillError) -> float:
        """Return the seconds to wait before the next attempt.

        Raises:
            WaybillError: `failure` itself: it is final. It says so if an attempt may have been executed.
        """
        may_be_executed = _may_be_executed(failure)
        delay_s = self._delay_s(failure)
        if (
            self._retries >= self._policy.retries
            or not self._is_repeated(failure, may_be_executed)
            or self._clock() + delay_s - self._started_s > self._policy.total_s
        ):
            raise self._final(failure)
        self._retries += 1
        self._may_be_executed |= may_be_executed
        return delay_s

    def is_done(self, failure: WaybillError) -> bool:
        """Return whether the failure of a repeated DELETE says that the first one was executed.

        A cancelled shipment stays: one that is not found was not cancelled before.
        """
        removes = self._operation.method == "DELETE" and self._operation is not CANCEL_SHIPMENT
        return self._may_be_executed and removes and isinstance(failure, NotFound)

    def end_without_token(self, failure: WaybillError) -> None:
        """Mark the error of a login: this attempt was not made, but earlier ones may have been executed."""
        if isinstance(failure, ConnectionFailed):
            failure.is_sent = False
        self._final(failure)

    def _final(self, failure: WaybillError) -> WaybillError:
        failure.is_uncertain = self._may_be_executed
        if isinstance(failure, ConnectionFailed):
            failure.is_sent |= self._may_be_executed
        return failure

    def _is_repeated(self, failure: WaybillError, may_be_executed: bool) -> bool:  # noqa: FBT001
        if isinstance(failure, ApiError) and failure.status_code not in TEMPORARY:
            return False
        return self._is_safe or not may_be_executed

    def _delay_s(self, failure: WaybillError) -> float:
        longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**self._retries)
        jitter = random.uniform(0, longest)  # noqa: S311 - no secret
        asked_s = failure.retry_after if isinstance(failure, ApiError) else None
        return jitter if asked_s is None else asked_s + jitter * 0.25


def seconds_of(retry_after: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a `Retry-After` header means (RFC 9110, 10.2.3); None: missing or malformed."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    instant = instant_of(text)
    return None if instant is None else max(0.0, (instant - (now or datetime.now(UTC))).total_seconds())


def instant_of(http_date: str | None) -> datetime | None:
    """Return the instant of an HTTP date (RFC 9110, 5.6.7); None: missing or malformed."""
    if http_date is None:
        return None
    try:
        instant = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _may_be_executed(failure: WaybillError) -> bool:
    if isinstance(failure, ConnectionFailed):
        return failure.is_sent
    return not (isinstance(failure, ApiError) and failure.status_code in _NOT_EXECUTED)
