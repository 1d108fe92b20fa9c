"""Health of an endpoint: how long it has been failing, and what follows from that."""

from datetime import datetime, timedelta
from typing import Final

from domain.values import value
from domain.webhooks.delivery import GONE, Attempt
from domain.webhooks.endpoint import PauseReason
from domain.webhooks.schedule import BREAKER_FAILURES

PAUSED_AFTER: Final = timedelta(days=5)
"""Time that an endpoint may fail, without one success, before it is paused."""


@value()
class Health:
    """Failures of an endpoint since its last success.

    Attributes:
        failures: attempts in a row that have failed.
        failing_since: when the first of them began; None without one.
    """

    failures: int = 0
    failing_since: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the circuit breaker is open: the endpoint is tried with one delivery at a time."""
        return self.failures >= BREAKER_FAILURES

    def after(self, attempt: Attempt) -> "Health":
        """Return the health after one more attempt."""
        if attempt.succeeded:
            return HEALTHY
        return Health(self.failures + 1, self.failing_since or attempt.at)

    def pause_reason(self, attempt: Attempt) -> PauseReason | None:
        """Return the reason to pause the endpoint after `attempt`, which this health includes, or None."""
        if attempt.status_code == GONE:
            return PauseReason.GONE
        if self.failing_since is not None and attempt.at - self.failing_since >= PAUSED_AFTER:
            return PauseReason.FAILING
        return None


HEALTHY: Final = Health()
