"""Prometheus metrics of the processor."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client import Counter as Total

from domain.errors import (
    CommitUnknown,
    Fenced,
    NotPublished,
    PublishUnknown,
    StaleKnowledge,
    StoreUnavailable,
    TransactionAborted,
    TransientError,
)
from domain.processing.batch import HoldEnd, Kind, Outcome, Plan, Verdict
from domain.processing.halts import QUARANTINED
from processor.latency_histogram import LatencyHistogram

_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_RETRIED = (
    CommitUnknown,
    NotPublished,
    PublishUnknown,
    StaleKnowledge,
    StoreUnavailable,
    TransactionAborted,
)
_HELD = "held"
_DEAD_LETTER_REASONS = ("unreadable", "unprocessable", QUARANTINED)


class ProcessorMetrics:
    """Events by outcome and latency; batches by size, duration and errors.

    Series that alerts use exist from the start, at zero: Prometheus sees no increase from nothing to one.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Total(
            "waybill_events", "Records by outcome.", ["outcome", "reason"], registry=registry
        )
        self._latency = LatencyHistogram(
            "waybill_event_latency_seconds",
            "From the acceptance of an event to the transaction with its outcome.",
        )
        registry.register(self._latency)
        self._sizes = Histogram(
            "waybill_batch_records", "Records per batch.", registry=registry, buckets=_BATCH_SIZES
        )
        self._durations = Histogram(
            "waybill_batch_seconds",
            "Time to process a batch, including publication of its results.",
            registry=registry,
        )
        self._retries = Total(
            "waybill_batch_retries", "Retried batches, by error.", ["error"], registry=registry
        )
        self._fenced = Total(
            "waybill_fence_losses",
            "Batches dropped because the partition has another owner.",
            registry=registry,
        )
        self._looked_up = Total(
            "waybill_dedup_lookups", "Events looked up in the duplicate filter.", registry=registry
        )
        self._found = Total(
            "waybill_dedup_hits", "Events found in the duplicate filter: exact duplicates.", registry=registry
        )
        self._early = Total(
            "waybill_early_events",
            "Early events that were held, and why that ended.",
            ["change"],
            registry=registry,
        )
        self._start_at_zero()

    @contextmanager
    def batch(self, size: int) -> Iterator[None]:
        """Measure one batch; if it fails, count only the failure: it is retried."""
        started = time.perf_counter()
        try:
            yield
        except Fenced:
            self._fenced.inc()
            raise
        except TransientError as error:
            self.count_retry(error)
            raise
        self._sizes.observe(size)
        self._durations.observe(time.perf_counter() - started)

    def count(self, plan: Plan, now: datetime) -> None:
        """Count the outcome of each record of a batch that was just written as a transaction."""
        # A released event was counted when its record was judged: as rejected.
        verdicts = [verdict for verdict in plan.verdicts if verdict.kind is not Kind.RELEASED]
        totals = Counter(_labels(verdict) for verdict in verdicts)
        for (outcome, reason), count in totals.items():
            self._events.labels(outcome, reason).inc(count)
        commands = [verdict.consumed for verdict in verdicts]
        # Redelivered records are counted already, or were delayed by the end of another process.
        accepted = [consumed.command.received_at for consumed in commands if not consumed.redelivered]
        self._latency.observe(accepted, now)
        for change in plan.events:
            if change.hold is not None:
                self._early.labels(_HELD).inc()
            if change.hold_end is not None:
                self._early.labels(change.hold_end.value).inc()

    def count_retry(self, error: TransientError | StaleKnowledge) -> None:
        """Count a retried batch."""
        self._retries.labels(type(error).__name__).inc()

    def count_looked_up(self, asked: int, found: int) -> None:
        """Count lookups in the duplicate filter and their hits."""
        self._looked_up.inc(asked)
        self._found.inc(found)

    def count_dead_letter(self, reason: str) -> None:
        """Count a dead letter."""
        self._events.labels(Outcome.DEAD.value, reason).inc()

    def _start_at_zero(self) -> None:
        for reason in _DEAD_LETTER_REASONS:
            self._events.labels(Outcome.DEAD.value, reason)
        self._events.labels(Outcome.APPLIED.value, "")
        for error in _RETRIED:
            self._retries.labels(error.__name__)
        for change in (_HELD, *HoldEnd):
            self._early.labels(str(change))


def _labels(verdict: Verdict) -> tuple[str, str]:
    if verdict.kind is not Kind.JUDGED or verdict.event is None:
        return verdict.kind.value, ""
    reason = verdict.event.reason
    return verdict.event.outcome.value, reason.value if reason is not None else ""
