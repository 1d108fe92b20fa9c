"""Sizing: from the cost of one event to the machines that a rate needs, and what saturates first.

    make bench BENCH=sizing
    make bench BENCH=sizing ARGS='--events 100000 --cpu-us processor=70,mongod=62 --machines disk_tb=8'

Measures nothing: it multiplies the tables of bench/costs.py. Each step is sized for its rate; the last lines
say what saturates, and when, if the rate keeps rising and nothing is added.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Final

from bench.costs import BYTES, CPU_US, Costs, Machines, giving_way, needed, tightest
from bench.saving import result_path

STEPS: Final = (10_000, 30_000, 100_000, 300_000, 1_000_000)
CURRENT: Final = {
    "ingest-api processes": 1,
    "partitions": 12,
    "processor processes": 1,
    "brokers": 1,
    "shards": 1,
    "Redis nodes": 1,
    "gateways": 1,
}
"""`make run`, each part on a machine of its own."""


def parsed(text: str) -> dict[str, float]:
    """Read `name=number,name=number`.

    Raises:
        ValueError: malformed text.
    """
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return {name.strip(): float(number) for name, _, number in pairs}


def with_own(table: Mapping[str, float], own: Mapping[str, float]) -> dict[str, float]:
    """Return a table with some of its numbers replaced.

    Raises:
        ValueError: a name is not in the table.
    """
    if unknown := own.keys() - table.keys():
        raise ValueError(f"{', '.join(sorted(unknown))}: not one of {', '.join(table)}")
    return {**table, **own}


def machines_with(own: Mapping[str, float]) -> Machines:
    """Return the machines with some of their numbers replaced; whole numbers stay whole."""
    usual = Machines()
    known = asdict(usual)
    with_own(known, own)
    return replace(usual, **{name: type(known[name])(number) for name, number in own.items()})


def report(steps: Sequence[float], costs: Costs) -> Iterator[str]:
    """Yield the tables."""
    yield from _inputs(costs)
    yield ""
    yield "one unit takes at most"
    for part, bound in tightest(costs).items():
        yield f"  {part:<22} {bound.rate:12,.0f} events/s, for want of: {bound.resource}"
    yield ""
    counts = [needed(rate, costs) for rate in steps]
    yield _row("events/s", [f"{rate:,.0f}" for rate in steps])
    for part in counts[0]:
        yield _row(part, [f"{each[part]:,}" for each in counts])
    for name, value in _streams(costs).items():
        yield _row(name, [f"{rate * value:,.1f}" for rate in steps])
    yield ""
    yield "gives way first, when the rate rises and nothing is added (events/s)"
    yield from _breaks("`make run`", CURRENT, costs)
    for rate, each in zip(steps, counts, strict=True):
        yield from _breaks(f"sized for {rate:,.0f}", each, costs)


def _breaks(name: str, counts: Mapping[str, int], costs: Costs) -> Iterator[str]:
    for bound in giving_way(counts, costs)[:3]:
        yield f"  {name:<21} {bound.rate:>11,.0f}  {bound.part}: {bound.resource}"
        name = ""


def _inputs(costs: Costs) -> Iterator[str]:
    machine = asdict(costs.machines)
    yield "CPU, µs per event  " + ", ".join(f"{name} {value:g}" for name, value in costs.cpu_us.items())
    yield "bytes per event    " + ", ".join(f"{name} {value:g}" for name, value in costs.bytes_.items())
    names = list(machine)
    for label, part in (("machines (assumed)", names[:6]), ("", names[6:11]), ("", names[11:])):
        yield f"{label:<18} " + ", ".join(f"{name} {machine[name]:g}" for name in part)


def _streams(costs: Costs) -> dict[str, float]:
    """Return the data flows and the stored data, per event/s at the peak."""
    machine = costs.machines
    kept_s = machine.average * machine.keep_days * 86_400
    logged_s = machine.average * machine.retention_h * 3600
    return {
        "HTTP in and out, MB/s": 2 * costs.bytes_["http"] / 1e6,
        "brokers' writes, MB/s": costs.logged * machine.replicas / 1e6,
        "brokers' disks, TB": costs.logged * machine.replicas * logged_s / 1e12,
        "MongoDB's writes, MB/s": costs.bytes_["documents"] * machine.rewritten * machine.replicas / 1e6,
        "MongoDB's disks, TB": costs.bytes_["documents"] * machine.packed * machine.replicas * kept_s / 1e12,
        "Redis's memory, GB": costs.bytes_["redis"] * machine.remembered_h * 3600 / 1e9,
    }


def _row(name: str, values: Sequence[str]) -> str:
    return f"{name:<24}" + "".join(f"{value:>12}" for value in values)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=float, nargs="*", default=STEPS, help="events/s at the peak")
    parser.add_argument("--cpu-us", type=parsed, default={}, help="as in processor=70,mongod=62")
    parser.add_argument("--bytes", type=parsed, default={}, help="as in documents=1200")
    parser.add_argument("--machines", type=parsed, default={}, help="as in cores=16,disk_tb=8,keep_days=90")
    parser.add_argument("--save", action="store_true", help="write the tables to bench/results")
    options = parser.parse_args()
    try:
        costs = Costs(
            cpu_us=with_own(CPU_US, options.cpu_us),
            bytes_=with_own(BYTES, options.bytes),
            machines=machines_with(options.machines),
        )
    except ValueError as error:
        parser.error(str(error))
    text = "\n".join(report(options.events, costs))
    print(text)
    if options.save:
        result_path("sizing", "txt").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
