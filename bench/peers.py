"""Peers: the processor's job written with other libraries, on the same broker and store.

    make bench BENCH=peers ARGS='--rounds 3 --save'

Fills one topic (5 % exact duplicates, 1 % illegal transitions, the shipments registered), then lets each
contender drain it: a process, a consumer group and a database of its own, with the same indexes. What counts
is the time from the first recorded event to the last, so starting up and joining the group are not in it. At
the end each database must hold every event once and every shipment where it belongs. The peers' code is in
bench/peers/, in an environment of its own.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.contenders import CONTENDERS, PEERS, Contender
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
OURS: Final = ("Waybill", "Waybill, without_change_feed")
SERVERS: Final = ("mongod", "kafka", "redis")
POLL_S: Final = 0.02
DEADLINE_S: Final = 120.0


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


def drain(stack: RunningStack, contender: Contender, filling: Filling, database: str) -> Drain:
    """Let one contender apply everything in the topic.

    Raises:
        RuntimeError: it ended early, or left a wrong result.
        TimeoutError: it did not finish.
    """
    asyncio.run(register(MongoSettings(MONGO_URI=stack.mongo_uri, MONGO_DB=database), filling.numbers))  # type: ignore[call-arg]  # by their aliases
    started = time.monotonic()
    with (
        MongoClient[dict[str, Any]](stack.mongo_uri) as client,
        running(stack, contender, database) as process,
    ):
        events, shipments = client[database]["status_events"], client[database]["shipments"]

        def look() -> Look:
            if process.poll() is not None:
                raise RuntimeError(f"{contender.name} ended with exit code {process.returncode}")
            if time.monotonic() > started + DEADLINE_S:
                raise TimeoutError(f"{contender.name} has not drained the topic in {DEADLINE_S:.0f} s")
            recorded = events.estimated_document_count()
            cpu_s = {"itself": cpu_of(process.pid), **cpu_seconds(stack)}
            return Look(time.monotonic(), recorded, cpu_s)

        while (first := look()).recorded == 0:
            time.sleep(POLL_S)
        # What a transaction inserts is counted before it is committed: the shipments have the last word.
        while (last := look()).recorded < filling.distinct or delivered(shipments) < len(filling.numbers):
            time.sleep(POLL_S)
        if events.count_documents({}) != filling.distinct:
            raise RuntimeError(f"{contender.name} has recorded more events than there are")
    drop(stack.mongo_uri, database)
    return drained(first, last, filling, started_s=started)


def delivered(shipments: Collection[dict[str, Any]]) -> int:
    """Return how many shipments have arrived: all of them must, since every life in the topic is complete."""
    return shipments.count_documents({"current_status": "delivered"})


def drained(first: Look, last: Look, filling: Filling, *, started_s: float) -> Drain:
    """Return the work done between two looks; repetitions leave no record and are counted in proportion."""
    share = (last.recorded - first.recorded) / filling.distinct
    return Drain(
        events=len(filling.commands) * share,
        seconds=last.at_s - first.at_s,
        start_up_s=first.at_s - started_s,
        cpu_s={name: seconds - first.cpu_s[name] for name, seconds in last.cpu_s.items()},
    )


@contextmanager
def running(stack: RunningStack, contender: Contender, database: str) -> Iterator[Process]:
    """Run a contender on the stack's servers."""
    environment = processor_environment(stack, prefix=PREFIX, group=database) | {
        "MONGO_DB": database,
        "PEER_GROUP": database,
        "PEER_TOPIC": Topics(PREFIX).events,
    }
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryFile() as said:
        process = start(contender.command, environment=environment, cwd=Path(place), output=said)
        try:
            yield process
        except BaseException:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
            raise
        finally:
            end([process])


def play(
    stack: RunningStack, contenders: Sequence[Contender], filling: Filling, rounds: int
) -> list[dict[str, Drain]]:
    """Fill the topic, then let the contenders drain it in turn, round after round."""
    asyncio.run(fill(kafka_settings(stack, PREFIX), filling.commands))
    results: list[dict[str, Drain]] = []
    for number in range(rounds):
        drains: dict[str, Drain] = {}
        for contender in (*contenders[number % 2 :], *contenders[: number % 2]):
            database = f"bench_{contender.name}_{number}".translate(str.maketrans(" ,", "__")).lower()
            drains[contender.name] = drain(stack, contender, filling, database)
            sys.stderr.write(f"{contender.name}: {drains[contender.name].rate:.0f} events/s\n")
        results.append({each.name: drains[each.name] for each in contenders})
    return results


def report(rounds: Sequence[Mapping[str, Drain]], filling: Filling) -> Iterator[str]:
    """Yield the table, medians over the rounds; ratios are of one round each."""
    repeated = len(filling.commands) - filling.distinct
    yield f"topic            {len(filling.commands)} events of {len(filling.numbers)} shipments,"
    yield f"                 {repeated} repeated, {filling.illegal} illegal, on 12 partitions"
    yield f"rounds           {len(rounds)}, medians; ratios within a round"
    yield ""
    yield "                           Waybill is            CPU per event, µs"
    yield "                 events/s             no feed   itself  mongod  kafka  redis    all   first event"
    for name in rounds[0]:
        yield _row(name, rounds)


def _row(name: str, rounds: Sequence[Mapping[str, Drain]]) -> str:
    drains = [each[name] for each in rounds]
    whole, no_feed = (
        statistics.median(each[ours].rate / each[name].rate for each in rounds) for ours in OURS
    )
    costs = [statistics.median(each.cpu_us(part) for each in drains) for part in ("itself", *SERVERS)]
    costs.append(sum(costs))
    itself, mongod, kafka, redis, everything = costs
    return (
        f"{name:<16} {statistics.median(each.rate for each in drains):8.0f} {whole:7.2f} x {no_feed:7.2f} x"
        f"    {itself:6.1f}  {mongod:6.1f} {kafka:6.1f} {redis:6.1f} {everything:6.1f}"
        f"   after {statistics.median(each.start_up_s for each in drains):.1f} s"
    )


def build_peers() -> None:
    """Build the peers' environment from its lock file."""
    uv, environment = ROOT / ".uv/bin/uv", PEERS / ".venv"
    subprocess.run([uv, "venv", "--quiet", "--allow-existing", "--python", "3.11", environment], check=True)
    lock = PEERS / "pylock.toml"
    subprocess.run([uv, "pip", "sync", "--quiet", "--python", environment, lock], check=True)


def main() -> None:
    """Run the benchmark."""
    parser = command_line(__doc__, port=18_288)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="names of peers; beside Waybill")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    only = (*OURS, *options.only) if options.only else tuple(each.name for each in CONTENDERS)
    contenders = [each for each in CONTENDERS if each.name in only]
    build_peers()
    filling = make_filling(events=options.events, seed=options.seed)
    with bench_stack(options.port, stores_only=True) as stack:
        rounds = play(stack, contenders, filling, options.rounds)
    publish("peers", "\n".join(report(rounds, filling)), options)


if __name__ == "__main__":
    main()
