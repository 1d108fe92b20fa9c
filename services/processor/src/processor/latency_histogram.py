"""Latency histogram that observes whole batches: a call per event would be too expensive."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
SAMPLES: Final = 32

_BOUNDS: Final = tuple(timedelta(seconds=bound) for bound in BUCKETS_S)


class LatencyHistogram(Collector):
    """Histogram of durations with different starts and a common end.

    A larger batch is represented by about `SAMPLES` evenly spread events: events that arrived together waited
    about as long. The count is that of all events.
    """

    def __init__(self, name: str, documentation: str) -> None:
        self._name = name
        self._documentation = documentation
        self._within = [0.0] * len(_BOUNDS)
        self._count = 0
        self._sum_s = 0.0

    def observe(self, began: Sequence[datetime], ended: datetime) -> None:
        """Observe durations that began at different times and ended together."""
        sample = sorted(began[:: len(began) // SAMPLES + 1])
        if not sample:
            return
        weight = len(began) / len(sample)
        for index, bound in enumerate(_BOUNDS):
            self._within[index] += weight * (len(sample) - bisect_left(sample, ended - bound))
        self._count += len(began)
        took = sum((ended - instant for instant in sample), timedelta())
        # Never below zero: ingest's clock may be ahead of this one.
        self._sum_s += weight * max(0.0, took.total_seconds())

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        bounds = (*map(str, BUCKETS_S), "+Inf")
        yield HistogramMetricFamily(
            self._name,
            self._documentation,
            buckets=list(zip(bounds, (*self._within, float(self._count)), strict=True)),
            sum_value=self._sum_s,
        )
