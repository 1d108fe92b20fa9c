"""Latencies are counted by the batch, and as if each event had been observed."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, Histogram

from processor.latency_histogram import BUCKETS_S, SAMPLES, LatencyHistogram

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def observed(batches: list[list[float]]) -> CollectorRegistry:
    """Return a registry after batches of events with these waits in seconds."""
    histogram = LatencyHistogram("latency_seconds", "x")
    for waits in batches:
        histogram.observe([NOW - timedelta(seconds=wait) for wait in waits], NOW)
    registry = CollectorRegistry()
    registry.register(histogram)
    return registry


def within(registry: CollectorRegistry, bound: str) -> float:
    return registry.get_sample_value("latency_seconds_bucket", {"le": bound}) or 0


def test_small_batches_are_counted_exactly_as_prometheus_clients_do() -> None:
    seeded = random.Random(7)  # noqa: S311  # the same batches in every run
    batches = [[seeded.expovariate(2) for _ in range(seeded.randrange(SAMPLES))] for _ in range(50)]
    expected = CollectorRegistry()
    histogram = Histogram("latency_seconds", "x", buckets=BUCKETS_S, registry=expected)
    for wait in (wait for waits in batches for wait in waits):
        histogram.observe(round(wait, 6))
    shown = observed(batches)
    for bound in ("0.005", "0.25", "1.0", "300.0", "+Inf"):
        assert within(shown, bound) == pytest.approx(within(expected, bound))
    for name in ("latency_seconds_count", "latency_seconds_sum"):
        assert shown.get_sample_value(name) == pytest.approx(expected.get_sample_value(name), abs=1e-3)


def test_a_bound_belongs_to_its_bucket() -> None:
    assert within(observed([[0.25]]), "0.25") == 1


def test_of_a_large_batch_neighbours_stand_for_each_other() -> None:
    shown = observed([[0.2] * 400 + [2.0] * 100])
    assert shown.get_sample_value("latency_seconds_count") == 500
    assert within(shown, "+Inf") == 500
    assert within(shown, "0.25") == pytest.approx(400, abs=500 / SAMPLES)
    assert within(shown, "2.5") == pytest.approx(500)


def test_a_batch_without_new_events_changes_nothing() -> None:
    assert observed([[]]).get_sample_value("latency_seconds_count") == 0


def test_a_clock_behind_makes_no_negative_time() -> None:
    shown = observed([[-0.5]])
    assert (within(shown, "0.005"), shown.get_sample_value("latency_seconds_sum")) == (1, 0)
