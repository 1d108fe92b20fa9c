"""Percentiles; their package is in the group `bench`, which `make test` does without."""

import pytest

pytest.importorskip("hdrh", reason="only with the packages of `make bench`")

from bench.percentiles import Latencies, table


def test_percentiles_are_those_of_the_values_to_three_digits() -> None:
    latencies = Latencies(milliseconds / 1000 for milliseconds in range(1, 1001))
    assert [latencies.at(each) for each in (50, 90, 99, 99.9)] == pytest.approx(
        [500, 900, 990, 999], rel=2e-3
    )
    assert latencies.most == pytest.approx(1000, rel=2e-3)


def test_a_value_out_of_bounds_counts_at_the_bound() -> None:
    latencies = Latencies([0.0, 3600.0])
    assert len(latencies) == 2
    assert latencies.most == pytest.approx(60_000, rel=2e-3)


def test_a_table_has_a_row_for_each_name() -> None:
    lines = table({"accepted": Latencies([0.002]), "visible": Latencies([0.02] * 10)}).splitlines()
    assert lines[0].split() == ["milliseconds", "count", "p50", "p90", "p99", "p99.9", "max"]
    assert lines[1].split() == ["accepted", "1", "2.00", "2.00", "2.00", "2.00", "2.00"]
    assert lines[2].split()[:3] == ["visible", "10", "20.02"]
