"""Cost of an event in each part of Waybill, capacity of a machine, and how many of each a rate needs.

Plain arithmetic: `rate x cost / what one unit gives`, rounded up. Two tables of costs, one of machines;
put in your own measurements (`bench.sizing`).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

CPU_US: Final[Mapping[str, float]] = {
    # medians of the five rounds in results/2026-11-27-throughput.txt
    "processor": 64.9,
    "mongod": 66.8,
    "ingest-api": 23.8,
    "kafka": 5.5,
    "gateway": 2.5,
    "redis": 2.3,
}
"""CPU per event, µs."""

BYTES: Final[Mapping[str, float]] = {
    # `bench.weighing`: the benchmarks' events, in batches of 500
    "http": 171,  # of a request's body; the answer, with every id, is as long again
    "log": 77,  # a record, snappy, some 40 to a batch
    "derived": 200,  # 0.94 of the events are applied, each published to 2.25 topics, snappy
    "documents": 827,  # BSON: audit 488, history 199, and a quarter of a new shipment's 561
    # 284 MiB after 2.5 million events, results/2026-11-27-soak.txt
    "redis": 117,
}
"""Bytes per event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """Capacity of a machine and how it is run: all assumptions.

    Attributes:
        busy: the share of a core, a link or a disk that is planned to be used at the peak.
        full: the share of a disk or of memory.
        average: the mean rate over days, as a share of the peak: it fills the disks.
        packed: share of a document's size that remains after MongoDB's compression.
        rewritten: how often a document's bytes are written: oplog, journal, checkpoints.
        remembered_h: hours that Redis retains an event.
        round_trip_ms: time that a batch waits, besides its CPU time.
    """

    cores: int = 8
    network_mb_s: float = 1250.0
    disk_mb_s: float = 500.0
    disk_tb: float = 4.0
    memory_gb: float = 32.0
    busy: float = 0.6
    full: float = 0.7
    average: float = 0.25
    replicas: int = 3
    retention_h: float = 168.0
    keep_days: float = 30.0
    packed: float = 0.5
    rewritten: float = 3.0
    remembered_h: float = 2.5
    batch: int = 1000
    round_trip_ms: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Both cost tables, and the machines."""

    cpu_us: Mapping[str, float] = field(default_factory=lambda: CPU_US)
    bytes_: Mapping[str, float] = field(default_factory=lambda: BYTES)
    machines: Machines = field(default_factory=Machines)

    @property
    def logged(self) -> float:
        """Bytes of an event in all topics, counted once."""
        return self.bytes_["log"] + self.bytes_["derived"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit: one unit of `part` handles at most `rate` events/s because of `resource`."""

    part: str
    resource: str
    rate: float


def bounds(costs: Costs) -> Iterator[Bound]:
    """Yield every bound of one unit of each part."""
    machine = costs.machines
    core = 1e6 * machine.busy
    yield Bound("ingest-api processes", "CPU", core / costs.cpu_us["ingest-api"])
    yield Bound("partitions", "one batch at a time", machine.busy * _partition_rate(costs))
    yield Bound("processor processes", "CPU", core / costs.cpu_us["processor"])
    yield from _broker(costs)
    yield from _shard(costs)
    yield Bound("Redis nodes", "CPU", core / costs.cpu_us["redis"])
    remembered = costs.bytes_["redis"] * machine.remembered_h * 3600
    yield Bound("Redis nodes", "memory", machine.memory_gb * 1e9 * machine.full / remembered)
    yield Bound("gateways", "CPU", machine.cores * core / costs.cpu_us["gateway"])
    yield Bound("gateways", "network", _link(machine) / (3 * costs.bytes_["http"]))


def _partition_rate(costs: Costs) -> float:
    """Return events/s of a partition that is never idle, whose batches run back to back."""
    machine = costs.machines
    worked_us = machine.batch * (costs.cpu_us["processor"] + costs.cpu_us["mongod"])
    return machine.batch / (worked_us / 1e6 + machine.round_trip_ms / 1e3)


def _broker(costs: Costs) -> Iterator[Bound]:
    """Return a broker's bounds: each replica costs as much as the measured one."""
    machine = costs.machines
    written = costs.logged * machine.replicas
    # in: each replica; out: to the other replicas, to the processor and one reader of each topic
    yield Bound(
        "brokers", "CPU", machine.cores * 1e6 * machine.busy / (costs.cpu_us["kafka"] * machine.replicas)
    )
    yield Bound("brokers", "network", _link(machine) / written)
    yield Bound("brokers", "disk writes", machine.disk_mb_s * 1e6 * machine.busy / written)
    kept = written * machine.average * machine.retention_h * 3600
    yield Bound("brokers", "disk space", machine.disk_tb * 1e12 * machine.full / kept)


def _shard(costs: Costs) -> Iterator[Bound]:
    """Return the bounds of a shard, a replica set in which each member stores and applies everything."""
    machine = costs.machines
    documents = costs.bytes_["documents"]
    yield Bound("shards", "CPU", machine.cores * 1e6 * machine.busy / costs.cpu_us["mongod"])
    # the primary sends its oplog to each of the others
    yield Bound("shards", "network", _link(machine) / (documents * (machine.replicas - 1)))
    yield Bound(
        "shards", "disk writes", machine.disk_mb_s * 1e6 * machine.busy / (documents * machine.rewritten)
    )
    kept = documents * machine.packed * machine.average * machine.keep_days * 86_400
    yield Bound("shards", "disk space", machine.disk_tb * 1e12 * machine.full / kept)


def _link(machine: Machines) -> float:
    return machine.network_mb_s * 1e6 * machine.busy


def tightest(costs: Costs) -> dict[str, Bound]:
    """Return, for each part, the bound that one unit reaches first."""
    found: dict[str, Bound] = {}
    for bound in bounds(costs):
        if bound.part not in found or bound.rate < found[bound.part].rate:
            found[bound.part] = bound
    return found


def needed(rate: float, costs: Costs) -> dict[str, int]:
    """Return how many of each part a rate needs; partitions in dozens, at least one per processor."""
    counts = {part: math.ceil(rate / bound.rate) for part, bound in tightest(costs).items()}
    counts["brokers"] = max(counts["brokers"], costs.machines.replicas)
    counts["partitions"] = 12 * math.ceil(max(counts["partitions"], counts["processor processes"]) / 12)
    return counts


def giving_way(counts: Mapping[str, int], costs: Costs) -> list[Bound]:
    """Return the rate at which each part saturates when nothing is added, lowest first."""
    at = [Bound(part, bound.resource, bound.rate * counts[part]) for part, bound in tightest(costs).items()]
    return sorted(at, key=lambda bound: bound.rate)
