"""Scaling: 1, 2, 4 and 12 processors drain a filled topic of 12 partitions, with the store's cost taken out.

    make bench BENCH=scaling ARGS='--save'
    make bench BENCH=scaling ARGS='--store mongodb --events 200000 --rounds 3 --save'

The processes are real: the product's consumer loop, rules and feed on a real broker. The store is a pause of
known length, one at a time in each process, as if each had a core and a store of its own; it is so long that
twelve processes fit on two cores, so the rates are not what a processor can do: only their ratios count. Then
a process joins a group at work, one is stopped and one is killed, and the pauses are printed; at last what
events in flight and cached shipments take in memory.

With `--store mongodb` instead: 1, 2 and 4 processors with real stores on the cores of this machine
(`bench.replicas`).
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from bench import footprint, journals, replicas
from bench.filling import fill, make_filling
from bench.load import kafka_settings
from bench.processes import Process, end, processor_environment, start
from bench.saving import command_line, publish
from bench.stacks import bench_stack

from devstack.client import RunningStack

PREFIX: Final = "scaling."
COUNTS: Final = (1, 2, 4, 12)
POLL_S: Final = 0.1
DEADLINE_S: Final = 240.0
MAX_BATCH: Final = 100
SETTLED_S, JOINING_S, LEAVING_S, MISSING_S = 4.0, 6.0, 5.0, 15.0
"""Length of an observation: before anything happens, then for each change; a session lasts ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Latency of the simulated store."""

    batch_s: float
    event_s: float

    @property
    def rate(self) -> float:
        """Events a second of one otherwise idle process."""
        return MAX_BATCH / (self.batch_s + MAX_BATCH * self.event_s)


@dataclass(slots=True)
class Group:
    """Simulated processors of one consumer group, by their names."""

    stack: RunningStack
    pace: Pace
    name: str
    place: Path
    started_s: dict[str, float] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    def start(self) -> str:
        """Start one more and return its name."""
        name = f"{self.name}-{len(self.processes) + 1}"
        environment = processor_environment(self.stack, prefix=PREFIX, group=self.name) | {
            "INSTANCE_ID": name,
            "PROCESSOR_MAX_BATCH": str(MAX_BATCH),
            "SIMULATED_BATCH_S": str(self.pace.batch_s),
            "SIMULATED_EVENT_S": str(self.pace.event_s),
            "SIMULATED_JOURNAL": str(self.place / name),
        }
        self.started_s[name] = time.monotonic()
        command = (sys.executable, "-m", "bench.processors", "simulated")
        self.processes[name] = start(command, environment=environment)
        return name

    def journals(self) -> dict[str, list[journals.Entry]]:
        """Read all journals."""
        return {name: journals.read(self.place / name) for name in self.processes}

    def wait_applied(self, events: int) -> None:
        """Block until that many events were applied; redelivered ones count again.

        Raises:
            TimeoutError: they were not.
        """
        deadline = time.monotonic() + DEADLINE_S
        while (applied := journals.total(self.journals())) < events:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{applied} of {events} events were applied in {DEADLINE_S:.0f} s")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End the processes that still run."""
        end(self.processes.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """Measured drain of the rest of the topic once all processes had begun."""

    count: int
    rate: float
    imbalance: float
    start_up_s: float


def drain(group: Group, count: int, events: int) -> Drained:
    """Let `count` processes apply all of the topic."""
    names = [group.start() for _ in range(count)]
    group.wait_applied(events)
    entries = group.journals()
    settled_s = journals.all_at_work_s(entries)
    return Drained(
        count=count,
        rate=journals.rate(entries, from_s=settled_s),
        imbalance=journals.most_over_mean(journals.since(entries, settled_s)),
        start_up_s=statistics.median(
            journals.opened_after_s(entries[name], group.started_s[name]) for name in names
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upset:
    """Cost of a rebalance for the remaining processes: their longest pause, and the usual one.

    Attributes:
        moved_s: until the partitions of the one that left were worked on again.
    """

    what: str
    pause_s: float
    usual_s: float
    moved_s: float | None = None


def upset(group: Group) -> Iterator[Upset]:
    """Let one process join three busy ones, then stop one, then kill one."""
    first, second, *_ = [group.start() for _ in range(3)]
    group.wait_applied(3 * MAX_BATCH)
    time.sleep(SETTLED_S)
    joined_s = time.monotonic()
    newcomer = group.start()
    time.sleep(JOINING_S)
    yield _upset(group, "a fourth process joins", joined_s, without={newcomer})
    stopped_s = time.monotonic()
    group.processes[first].terminate()
    time.sleep(LEAVING_S)
    yield _upset(group, "one is stopped (SIGTERM)", stopped_s, without={first}, left=first)
    killed_s = time.monotonic()
    group.processes[second].kill()
    time.sleep(MISSING_S)
    yield _upset(group, "one is killed (SIGKILL)", killed_s, without={first, second}, left=second)


def _upset(group: Group, what: str, since_s: float, *, without: set[str], left: str | None = None) -> Upset:
    entries = group.journals()
    stayed = [each for name, each in entries.items() if name not in without]
    # A process that has just joined may not have applied two batches yet: it has no pauses.
    pauses = [p for each in stayed for p in journals.pauses_s(each, from_s=since_s, until_s=time.monotonic())]
    usual = [p for each in stayed for p in journals.pauses_s(each, from_s=0, until_s=since_s)]
    moved_s = None
    if left is not None:
        lost = journals.partitions_of(entries[left], at_s=since_s)
        others = {name: each for name, each in entries.items() if name != left}
        moved_s = journals.moved_after_s(others, lost, since_s=since_s)
    return Upset(what=what, pause_s=max(pauses), usual_s=statistics.median(usual), moved_s=moved_s)


def report(pace: Pace, events: int, drains: Sequence[Drained], upsets: Sequence[Upset]) -> Iterator[str]:
    """Yield the figures."""
    yield f"topic            {events} events, 5 % of them twice, on 12 partitions"
    yield f"store            simulated: {pace.batch_s * 1000:.0f} ms a batch of {MAX_BATCH}, and"
    yield f"                 {pace.event_s * 1000:.2f} ms an event: {pace.rate:.0f} events/s a process"
    yield "                 (slow, so that 12 processes fit on this machine: only ratios count)"
    yield ""
    yield "processors   events/s   share of n times one   busiest over mean   first partition after"
    for each in drains:
        share = each.rate / drains[0].rate * drains[0].count / each.count
        shown = f"{each.count:>10} {each.rate:10.0f} {share:22.2f} {each.imbalance:19.1%}"
        yield f"{shown} {each.start_up_s:21.1f} s"
    yield "(from when all are at work until the last event: the wait for the fullest partition is in it)"
    yield ""
    yield "rebalance                 longest pause of the others    usual   its partitions move after"
    for one in upsets:
        moved = "-" if one.moved_s is None else f"{one.moved_s:.1f} s"
        yield f"{one.what:<27} {one.pause_s:24.2f} s {one.usual_s:6.2f} s {moved:>20}"
    yield ""
    yield "memory"
    yield f"  10,000 events in flight: {footprint.records_bytes() / 2**20:.1f} MiB as records that wait,"
    yield f"  {footprint.judged_bytes() / 2**20:.1f} MiB more decoded and judged; 5 % of them twice"
    yield f"  a cached shipment with 3 events: {footprint.shipment_bytes():.0f} bytes"


def simulate(options: argparse.Namespace) -> Iterator[str]:
    """Measure with the simulated store, and yield the figures."""
    pace = Pace(batch_s=options.batch_ms / 1000, event_s=options.event_ms / 1000)
    commands = make_filling(events=options.events, seed=1).commands
    drains: list[Drained] = []
    with ExitStack() as open_:
        home = Path(open_.enter_context(tempfile.TemporaryDirectory(prefix="waybill-scaling-")))
        stack = open_.enter_context(bench_stack(options.port, stores_only=True))
        asyncio.run(fill(kafka_settings(stack, PREFIX), commands))
        for count in COUNTS:
            group = Group(stack, pace, f"drain-{count}", home)
            open_.callback(group.stop)
            drains.append(drain(group, count, len(commands)))
            group.stop()
            sys.stderr.write(f"{count}: {drains[-1].rate:.0f} events/s\n")
        # Slower, or the topic would be drained before the last of the changes.
        group = Group(stack, replace(pace, event_s=2 * pace.event_s), "upset", home)
        open_.callback(group.stop)
        upsets = list(upset(group))
    yield from report(pace, len(commands), drains, upsets)


def main() -> None:
    """Run the benchmark."""
    parser = command_line(__doc__, port=18_288)
    parser.add_argument("--store", choices=("simulated", "mongodb"), default="simulated")
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=1, help="with mongodb")
    parser.add_argument("--batch-ms", type=float, default=8.0, help="of the simulated store")
    parser.add_argument("--event-ms", type=float, default=1.2, help="of the simulated store")
    options = parser.parse_args()
    if options.store == "simulated":
        publish("scaling", "\n".join(simulate(options)), options)
        return
    with bench_stack(options.port, stores_only=True) as stack:
        drains = replicas.play(stack, events=options.events, rounds=options.rounds)
    publish("scaling-mongodb", "\n".join(replicas.report(drains)), options)


if __name__ == "__main__":
    main()
