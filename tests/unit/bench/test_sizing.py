"""The arithmetic of sizing, on numbers that can be checked by hand."""

import math
from dataclasses import fields, replace

import pytest
from bench.costs import BYTES, CPU_US, Costs, Machines, bounds, giving_way, needed, tightest
from bench.sizing import CURRENT, machines_with, parsed, report, with_own
from bench.weighing import weigh

EASY = Costs(
    cpu_us=dict.fromkeys(CPU_US, 50.0),
    bytes_=dict.fromkeys(BYTES, 100.0),
    machines=Machines(
        cores=4,
        busy=0.5,
        full=0.5,
        network_mb_s=1000,
        disk_mb_s=600,
        disk_tb=2,
        memory_gb=36,
        average=0.5,
        retention_h=100,
        keep_days=10,
        packed=0.5,
        rewritten=2,
        remembered_h=1,
        batch=500,
        round_trip_ms=50,
    ),
)


def bound(part: str, resource: str, costs: Costs = EASY) -> float:
    [found] = [each.rate for each in bounds(costs) if (each.part, each.resource) == (part, resource)]
    return found


@pytest.mark.parametrize(
    ("part", "resource", "rate"),
    [
        ("processor processes", "CPU", 10_000),  # half of a core, 50 µs each
        ("ingest-api processes", "CPU", 10_000),
        ("shards", "CPU", 40_000),  # four cores
        ("brokers", "CPU", 40_000 / 3),  # each replica costs as much
        ("partitions", "one batch at a time", 2_500),  # 500 in 50 ms of CPU and 50 ms of waiting, half of it
        ("brokers", "disk writes", 500_000),  # 300 MB/s of 3 x 200 bytes
        ("brokers", "disk space", 1e12 / (600 * 0.5 * 360_000)),
        ("brokers", "network", 500e6 / 600),
        ("shards", "disk writes", 1_500_000),
        ("shards", "network", 2_500_000),
        ("shards", "disk space", 1e12 / (25 * 864_000)),
        ("Redis nodes", "memory", 50_000),
    ],
)
def test_a_unit_takes_what_its_resource_gives(part: str, resource: str, rate: float) -> None:
    assert bound(part, resource) == pytest.approx(rate)


def test_the_smallest_of_its_bounds_is_what_a_part_meets() -> None:
    assert tightest(EASY)["brokers"].resource == "disk space"
    roomy = replace(EASY, machines=replace(EASY.machines, disk_tb=1000))
    assert tightest(roomy)["brokers"].resource == "CPU"


def test_the_needed_number_carries_the_rate_and_one_less_does_not() -> None:
    rate = 123_456
    counts = needed(rate, EASY)
    for part, each in tightest(EASY).items():
        assert counts[part] * each.rate >= rate
        if part not in ("partitions", "brokers"):
            assert (counts[part] - 1) * each.rate < rate


def test_partitions_come_by_the_dozen_and_no_processor_is_without_one() -> None:
    counts = needed(1_000_000, EASY)
    assert counts["partitions"] % 12 == 0
    assert counts["partitions"] >= counts["processor processes"] == 100
    assert needed(1, EASY)["partitions"] == 12


def test_there_are_never_fewer_brokers_than_replicas() -> None:
    assert needed(1, EASY)["brokers"] == 3


def test_the_part_closest_to_its_bound_saturates_first() -> None:
    first, *others = giving_way(CURRENT, EASY)
    assert first.rate == min(each.rate * CURRENT[part] for part, each in tightest(EASY).items())
    assert all(each.rate >= first.rate for each in others)
    assert giving_way({**CURRENT, first.part: 1_000_000}, EASY)[0].part != first.part


def test_twice_the_cost_needs_twice_the_processes() -> None:
    dear = replace(EASY, cpu_us={**EASY.cpu_us, "processor": 100.0})
    assert (
        needed(1_000_000, dear)["processor processes"] == 2 * needed(1_000_000, EASY)["processor processes"]
    )


def test_own_numbers_replace_ours_and_unknown_ones_are_rejected() -> None:
    assert parsed("processor=70,mongod=62.5") == {"processor": 70, "mongod": 62.5}
    assert with_own(CPU_US, {"redis": 1.0})["redis"] == 1.0
    assert machines_with({"cores": 16, "disk_tb": 8}) == Machines(cores=16, disk_tb=8)
    with pytest.raises(ValueError, match="mongodb"):
        with_own(CPU_US, {"mongodb": 1.0})
    with pytest.raises(ValueError, match="float"):
        parsed("processor")


def test_the_report_names_every_part_and_every_assumption() -> None:
    text = "\n".join(report([10_000, 1_000_000], Costs()))
    assert all(part in text for part in CURRENT)
    assert all(each.name in text for each in fields(Machines))
    assert not any(math.isnan(each.rate) for each in bounds(Costs()))


@pytest.mark.parametrize("name", ["http", "log", "derived", "documents"])
def test_the_bytes_are_what_our_own_code_makes_of_an_event(name: str) -> None:
    assert BYTES[name] == pytest.approx(weigh()[name], rel=0.15)
