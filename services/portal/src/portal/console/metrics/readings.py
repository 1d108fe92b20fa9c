"""One look at the metrics of a process, and what has happened between two looks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from portal.console.metrics.figures import Quantity

_ACCEPTED: Final = "waybill_accepted_events_total"
_EVENTS: Final = "waybill_events_total"
_LATENCY: Final = "waybill_event_latency_seconds_bucket"
_LAG: Final = "waybill_partition_lag"
_OUTCOMES: Final = {
    "applied": Quantity.APPLIED,
    "rejected": Quantity.REJECTED,
    "dead": Quantity.DEAD,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """Metrics of one process at one time.

    Attributes:
        counts: totals since the process started.
        buckets: of the latency: how many events took at most so many seconds, since the process started.
        lags: of the partitions that it owns.
    """

    counts: Mapping[Quantity, float]
    buckets: Mapping[float, float]
    lags: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Sample:
    """Metrics of all processes at one time, by their addresses."""

    at: float
    readings: Mapping[str, Reading]

    @property
    def lag(self) -> float | None:
        """Records that wait, of all partitions; None: no processor has said so."""
        lags: dict[str, float] = {}
        for reading in self.readings.values():
            for partition, lag in reading.lags.items():
                lags[partition] = max(lag, lags.get(partition, 0.0))
        return sum(lags.values()) if lags else None


def read_metrics(text: str) -> Reading:
    """Return what a text in the format of Prometheus says.

    Raises:
        ValueError: it is not in that format.
    """
    counts: defaultdict[Quantity, float] = defaultdict(float)
    buckets: defaultdict[float, float] = defaultdict(float)
    lags: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == _ACCEPTED:
                counts[Quantity.ACCEPTED] += sample.value
            elif sample.name == _EVENTS and sample.labels["outcome"] in _OUTCOMES:
                counts[_OUTCOMES[sample.labels["outcome"]]] += sample.value
            elif sample.name == _LATENCY:
                buckets[float(sample.labels["le"])] += sample.value
            elif sample.name == _LAG:
                lags[sample.labels["partition"]] = sample.value
    if Quantity.APPLIED in counts:  # a processor: an outcome that it does not name has not happened yet
        for outcome in _OUTCOMES.values():
            counts[outcome] += 0.0
    return Reading(counts, buckets, lags)


def rate(before: Sample, after: Sample, quantity: Quantity) -> float | None:
    """Return how often something happened in a second between two samples; None: nobody counts it."""
    grown = [
        _grown(first.counts[quantity], second.counts[quantity])
        for first, second in _pairs(before, after)
        if quantity in first.counts and quantity in second.counts
    ]
    return sum(grown) / (after.at - before.at) if grown else None


def percentile(before: Sample, after: Sample, share: float) -> float | None:
    """Return the latency that a share of the events between two samples did not exceed, in seconds.

    As Prometheus estimates it: evenly spread within a bucket; None: there were no events.
    """
    grown: defaultdict[float, float] = defaultdict(float)
    for first, second in _pairs(before, after):
        for bound, total in second.buckets.items():
            grown[bound] += _grown(first.buckets.get(bound, 0.0), total)
    bounds = sorted(grown)
    if not bounds or grown[bounds[-1]] <= 0:
        return None
    return _within(bounds, [grown[bound] for bound in bounds], share)


def _within(bounds: Sequence[float], totals: Sequence[float], share: float) -> float:
    rank = share * totals[-1]
    steps: Iterable[tuple[tuple[float, float], tuple[float, float]]] = pairwise(
        [(0.0, 0.0), *zip(bounds, totals, strict=True)]
    )
    for (low, below), (high, upto) in steps:
        if upto >= rank and upto > below:
            return low if high == float("inf") else low + (high - low) * (rank - below) / (upto - below)
    return bounds[-1]


def _pairs(before: Sample, after: Sample) -> Iterable[tuple[Reading, Reading]]:
    return ((before.readings[each], after.readings[each]) for each in before.readings.keys() & after.readings)


def _grown(before: float, after: float) -> float:
    return after - before if after >= before else after  # the process has started again
