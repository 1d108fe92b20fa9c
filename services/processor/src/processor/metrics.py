"""What the processor counts."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client import Counter as Total

from domain.batch import Kind, Outcome, Verdict

_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class ProcessorMetrics:
    """Events by what became of them, and batches by size and duration."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Total(
            "waybill_events", "Records by what became of them", ["outcome", "reason"], registry=registry
        )
        self._sizes = Histogram(
            "waybill_batch_records", "Records per batch", registry=registry, buckets=_BATCH_SIZES
        )
        self._durations = Histogram(
            "waybill_batch_seconds", "From the first look at a batch to its last word", registry=registry
        )
        self._halted = Gauge(
            "waybill_partitions_halted", "Partitions that wait for an operator", registry=registry
        )

    def watch_halted(self, count: Callable[[], int]) -> None:
        """Show how many partitions stand still, as `count` says whenever somebody looks."""
        self._halted.set_function(count)

    @contextmanager
    def batch(self, size: int) -> Iterator[None]:
        """Measure one batch; one that fails is not counted, it comes again."""
        started = time.perf_counter()
        yield
        self._sizes.observe(size)
        self._durations.observe(time.perf_counter() - started)

    def count(self, verdicts: Sequence[Verdict]) -> None:
        """Count what became of each record of a batch."""
        totals = Counter(_labels(verdict) for verdict in verdicts)
        for (outcome, reason), count in totals.items():
            self._events.labels(outcome, reason).inc(count)

    def count_buried(self, reason: str) -> None:
        """Count a dead letter."""
        self._events.labels(Outcome.DEAD.value, reason).inc()


def _labels(verdict: Verdict) -> tuple[str, str]:
    if verdict.kind is not Kind.JUDGED or verdict.event is None:
        return verdict.kind.value, ""
    reason = verdict.event.reason
    return verdict.event.outcome.value, reason.value if reason is not None else ""
