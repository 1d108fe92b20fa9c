"""Peers: the processor's job written with other libraries, on the same broker and store.

    make bench BENCH=peers ARGS='--rounds 5 --save'

Fills one topic (5 % exact duplicates, 1 % illegal transitions, the shipments registered), then lets each
contender drain it: a process, a consumer group and a database of its own, with the same indexes. Each does
it with the change feed (every change to two or three derived topics, acknowledged) and without. The first
60 % of the events do not count: starting up, joining the group, and compiling, for a JVM. At the end every
outcome, every history and the number of messages must be right. The peers' code is in bench/peers/, in
environments of its own; those in Python run on the interpreter of the services.
"""

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.checking import DerivedTopics, are_whole, published, recorded_outcomes, wrong_outcomes
from bench.contenders import CONTENDERS, JVM, OURS, PEERS, Contender
from bench.filling import Filling, drop, fill, make_filling, register
from bench.load import cpu_of, cpu_seconds, kafka_settings
from bench.processes import ROOT, Process, end, processor_environment, start
from bench.saving import command_line, publish
from bench.stacks import bench_stack
from pymongo import MongoClient
from pymongo.collection import Collection

from devstack.client import RunningStack
from messaging.topics import Topics
from storage.settings import MongoSettings

PREFIX: Final = "peers."
SERVERS: Final = ("mongod", "kafka", "redis")
WARM: Final = 0.6
"""Share of the events before what counts. The JVM takes 450 µs for each of the first 10,000, and 60 after
50,000."""
POLL_S: Final = 0.02
DEADLINE_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """One contender's run: `events` were recorded in `seconds`, at the CPU seconds of each process."""

    events: float
    seconds: float
    start_up_s: float
    cpu_s: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    def cpu_us(self, *names: str) -> float:
        """Return the CPU per event of some processes, in µs."""
        return sum(self.cpu_s[name] for name in names) / self.events * 1e6


@dataclass(frozen=True, slots=True)
class Look:
    """Progress of a contender at a moment."""

    at_s: float
    recorded: int
    cpu_s: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Watch:
    """A contender at work."""

    stack: RunningStack
    process: Process
    events: Collection[dict[str, Any]]
    deadline_s: float

    def until(self, holds: Callable[[Look], bool]) -> Look:
        """Return the first look for which that holds.

        Raises:
            RuntimeError: the contender ended.
            TimeoutError: it did not come so far.
        """
        while not holds(look := self._look()):
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended with exit code {self.process.returncode}")
            if time.monotonic() > self.deadline_s:
                raise TimeoutError(f"it has not drained the topic in {DEADLINE_S:.0f} s")
            time.sleep(POLL_S)
        return look

    def _look(self) -> Look:
        recorded = self.events.estimated_document_count()
        cpu_s = {"itself": cpu_of(self.process.pid), **cpu_seconds(self.stack)}
        return Look(time.monotonic(), recorded, cpu_s)


def drain(stack: RunningStack, contender: Contender, filling: Filling, name: str) -> Drain:
    """Let one contender apply everything in the topic, into a database called `name`.

    Raises:
        RuntimeError: it ended early, or left a wrong result.
        TimeoutError: it did not finish.
    """
    asyncio.run(register(MongoSettings(MONGO_URI=stack.mongo_uri, MONGO_DB=name), filling.numbers))  # type: ignore[call-arg]  # by their aliases
    started_s = time.monotonic()
    with (
        MongoClient[dict[str, Any]](stack.mongo_uri) as client,
        running(stack, contender, name) as process,
    ):
        database, derived = client[name], DerivedTopics(stack.kafka_brokers, PREFIX)
        messages = derived.count() + (published(filling) if contender.publishes else 0)
        watch = Watch(stack, process, database["status_events"], started_s + DEADLINE_S)
        begun = watch.until(lambda look: look.recorded > 0)
        warm = watch.until(lambda look: look.recorded >= filling.distinct * WARM)
        # What a transaction inserts is counted before it is committed: they have the last word.
        last = watch.until(
            lambda look: (
                look.recorded >= filling.distinct
                and are_whole(database, filling)
                and derived.count() >= messages
            )
        )
        wrong = wrong_outcomes(recorded_outcomes(database), filling.outcomes)
        if wrong or derived.count() != messages:
            excess = derived.count() - messages
            raise RuntimeError(f"{len(wrong)} wrong outcomes {wrong[:3]}, {excess} messages too many")
    drop(stack.mongo_uri, name)
    return drained(warm, last, filling, start_up_s=begun.at_s - started_s)


def drained(first: Look, last: Look, filling: Filling, *, start_up_s: float) -> Drain:
    """Return the work done between two looks; repetitions leave no record and are counted in proportion."""
    share = (last.recorded - first.recorded) / filling.distinct
    return Drain(
        events=len(filling.commands) * share,
        seconds=last.at_s - first.at_s,
        start_up_s=start_up_s,
        cpu_s={name: seconds - first.cpu_s[name] for name, seconds in last.cpu_s.items()},
    )


@contextmanager
def running(stack: RunningStack, contender: Contender, database: str) -> Iterator[Process]:
    """Run a contender on the stack's servers."""
    environment = processor_environment(stack, prefix=PREFIX, group=database) | {
        "MONGO_DB": database,
        "PEER_FEED": PREFIX if contender.publishes else "",
        "PEER_GROUP": database,
        "PEER_TOPIC": Topics(PREFIX).events,
    }
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryFile() as said:
        process = start(contender.command, environment=environment, cwd=Path(place), output=said)
        try:
            yield process
        except BaseException:
            said.seek(0)
            sys.stderr.write(f"{contender.name}:\n{said.read().decode(errors='replace')}")
            raise
        finally:
            end([process])


def play(
    stack: RunningStack, contenders: Sequence[Contender], filling: Filling, rounds: int
) -> list[dict[str, Drain]]:
    """Fill the topic, then let the contenders drain it in turn; each round begins with another one.

    A first drain does not count: the broker and mongod warm up.
    """
    asyncio.run(fill(kafka_settings(stack, PREFIX), filling.commands))
    drain(stack, contenders[0], filling, "bench_warm_up")
    results: list[dict[str, Drain]] = []
    for number in range(rounds):
        drains: dict[str, Drain] = {}
        first = number * (len(contenders) // 2 + 1) % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            database = f"bench_{contender.name}_{number}".translate(str.maketrans(" ,-", "___")).lower()
            drains[contender.name] = drain(stack, contender, filling, database)
            sys.stderr.write(f"{contender.name}: {drains[contender.name].rate:.0f} events/s\n")
        results.append({each.name: drains[each.name] for each in contenders})
    return results


def ratios(rounds: Sequence[Mapping[str, Drain]], contender: Contender) -> list[float]:
    """Return how many times as fast as `contender` we did the very same job, in each round."""
    [ours] = (
        each.name for each in CONTENDERS if each.library == OURS and each.publishes == contender.publishes
    )
    return [each[ours].rate / each[contender.name].rate for each in rounds]


def report(rounds: Sequence[Mapping[str, Drain]], filling: Filling) -> Iterator[str]:
    """Yield the table, medians over the rounds; ratios are of one round each."""
    repeated = len(filling.commands) - filling.distinct
    yield f"topic            {len(filling.commands)} events of {len(filling.numbers)} shipments,"
    yield f"                 {repeated} repeated, {filling.illegal} illegal, on 12 partitions;"
    yield f"                 the first {WARM:.0%} warm up"
    yield "checked          of each contender, in each round: every outcome, history and message"
    yield f"rounds           {len(rounds)}, medians; ratios within a round, on the very same job"
    yield ""
    yield f"{'':28} events/s  Waybill is       (range)  CPU per event, µs"
    yield f"{'':60} itself  mongod  kafka  redis    all  begins"
    for publishes in (True, False):
        yield "with change feed" if publishes else "without"
        yield from (
            _row(each, rounds)
            for each in CONTENDERS
            if each.publishes == publishes and each.name in rounds[0]
        )


def _row(contender: Contender, rounds: Sequence[Mapping[str, Drain]]) -> str:
    drains = [each[contender.name] for each in rounds]
    ahead = ratios(rounds, contender)
    costs = [statistics.median(each.cpu_us(part) for each in drains) for part in ("itself", *SERVERS)]
    costs.append(sum(costs))
    itself, mongod, kafka, redis, everything = costs
    return (
        f"  {contender.library:<26} {statistics.median(each.rate for each in drains):8.0f}"
        f" {statistics.median(ahead):6.2f} x ({min(ahead):.2f} to {max(ahead):.2f})"
        f" {itself:6.1f}  {mongod:6.1f} {kafka:6.1f} {redis:6.1f} {everything:6.1f}"
        f"  after {statistics.median(each.start_up_s for each in drains):.1f} s"
    )


def build_peers() -> None:
    """Build the peers: from their lock file, on the interpreter of the services, and by Maven.

    Raises:
        RuntimeError: Maven is missing.
    """
    sync = (
        ROOT / ".uv/bin/uv",
        "sync",
        "--quiet",
        "--frozen",
        "--project",
        PEERS,
        "--python",
        sys.executable,
    )
    subprocess.run(sync, check=True, env={**os.environ, "UV_PROJECT_ENVIRONMENT": ".venv"})
    maven = shutil.which("mvn")
    if maven is None:
        raise RuntimeError("mvn is missing: apt-get install openjdk-17-jdk-headless maven")
    subprocess.run([maven, "-q", "-B", "-f", JVM / "pom.xml", "process-classes"], check=True)


def main() -> None:
    """Run the benchmark."""
    parser = command_line(__doc__, port=18_288)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="names of libraries; beside Waybill")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    contenders = chosen(options.only)
    build_peers()
    filling = make_filling(events=options.events, seed=options.seed)
    with bench_stack(options.port, stores_only=True) as stack:
        rounds = play(stack, contenders, filling, options.rounds)
    publish("peers", "\n".join(report(rounds, filling)), options)


def chosen(libraries: Sequence[str]) -> list[Contender]:
    """Return the contenders of some libraries, and ours; all without any."""
    return [each for each in CONTENDERS if not libraries or each.library in (OURS, *libraries)]


if __name__ == "__main__":
    main()
