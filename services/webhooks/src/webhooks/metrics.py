"""Prometheus metrics of webhooks."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain.webhooks.delivery import Attempt, AttemptError, DeliveryState
from domain.webhooks.endpoint import PauseReason
from domain.webhooks.schedule import Resolution

_REFUSED: Final = "refused"
_RETRY: Final = "retry"
RESULTS: Final = (DeliveryState.DELIVERED.value, _RETRY, DeliveryState.FAILED.value, _REFUSED)
ENDPOINT_STATES: Final = ("active", "failing", *(f"paused_{reason}" for reason in PauseReason))
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)


class WebhookMetrics:
    """Attempts by result and duration; what waits, and the endpoints that get nothing.

    Series that alerts use exist from the start, at zero: Prometheus sees no increase from nothing to one.
    """

    def __init__(self, registry: CollectorRegistry, *, slots: int) -> None:
        self._attempts = Counter(
            "waybill_webhook_attempts",
            "Attempts by result: delivered, retry, failed (for good), refused (address not allowed).",
            ["result"],
            registry=registry,
        )
        self._seconds = Histogram(
            "waybill_webhook_attempt_seconds",
            "Time from an attempt's beginning to its response, or failure.",
            registry=registry,
            buckets=_SECONDS,
        )
        self.in_flight = Gauge("waybill_webhook_in_flight", "Attempts in flight.", registry=registry)
        Gauge("waybill_webhook_slots", "Attempts that may be in flight at once.", registry=registry).set(
            slots
        )
        self._held = Counter(
            "waybill_webhook_held",
            "Deliveries that fell due while their endpoint was paused.",
            registry=registry,
        )
        self._pauses = Counter(
            "waybill_webhook_pauses", "Endpoints that were paused, by reason.", ["reason"], registry=registry
        )
        self._endpoints = Gauge(
            "waybill_webhook_endpoints", "Endpoints by state.", ["state"], registry=registry
        )
        self._oldest_due = Gauge(
            "waybill_webhook_oldest_due_seconds",
            "Age of the oldest delivery that is due, of active endpoints without a rate that do not fail.",
            registry=registry,
        )
        self._start_at_zero()

    def count_attempt(self, attempt: Attempt, resolution: Resolution) -> None:
        """Count an attempt that has ended."""
        result = resolution.state.value
        if attempt.error is AttemptError.ADDRESS_NOT_ALLOWED:
            result = _REFUSED
        elif resolution.state is DeliveryState.PENDING:
            result = _RETRY
        self._attempts.labels(result).inc()
        self._seconds.observe(attempt.duration_ms / 1000)

    def count_held(self, deliveries: int) -> None:
        """Count deliveries that were held."""
        self._held.inc(deliveries)

    def count_pause(self, reason: PauseReason) -> None:
        """Count an endpoint that this replica has paused."""
        self._pauses.labels(reason.value).inc()

    def show(self, endpoints: Mapping[str, int], oldest_due_s: float) -> None:
        """Show what the database holds: endpoints by state, and the age of the oldest due delivery."""
        for state in ENDPOINT_STATES:
            self._endpoints.labels(state).set(endpoints.get(state, 0))
        self._oldest_due.set(oldest_due_s)

    def show_unknown(self) -> None:
        """Show that the database cannot be read."""
        for state in ENDPOINT_STATES:
            self._endpoints.labels(state).set(float("nan"))
        self._oldest_due.set(float("nan"))

    def _start_at_zero(self) -> None:
        for result in RESULTS:
            self._attempts.labels(result)
        for reason in PauseReason:
            self._pauses.labels(reason.value)
        self.show({}, 0.0)
