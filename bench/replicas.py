"""Processors on one real MongoDB: 1, 2 and 4 of them drain a filled topic, each number on a topic of its own.

The processors are the product's, with all their stores, and are frozen while their topic is filled; the clock
starts when they are resumed. All of it shares this machine: with few cores, they are the limit before the
number of processors is, so the CPU of an event and the cores in use stand beside each rate.
"""

import asyncio
import os
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from bench.checking import DerivedTopics, are_whole, published, recorded_outcomes, wrong_outcomes
from bench.filling import Filling, drop, make_filling, register
from bench.load import append, cpu_of, cpu_seconds, kafka_settings
from bench.processes import Process, end, processor_environment, start
from pymongo import MongoClient
from pymongo.database import Database

from devstack.client import RunningStack
from messaging.topics import ensure_topics
from storage.settings import MongoSettings

COUNTS: Final = (1, 2, 4)
SERVERS: Final = ("mongod", "kafka", "redis")
SESSION_S: Final = 120
"""Longer than the topic takes to be filled: processors that are frozen keep their partitions."""
POLL_S: Final = 0.05
DEADLINE_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedDrain:
    """Measured drain by `count` processors.

    Attributes:
        cpu_us: CPU of an event in µs: of `processors` together, and of each server.
    """

    count: int
    events: int
    seconds: float
    cpu_us: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cores(self) -> float:
        """Cores that were in use, of processors and servers."""
        return sum(self.cpu_us.values()) * self.rate / 1e6


def measure(stack: RunningStack, count: int, filling: Filling, name: str) -> SharedDrain:
    """Let `count` processors apply a filling, with a database and topics called `name`.

    Raises:
        RuntimeError: a processor ended, or the result is wrong.
        TimeoutError: the processors did not start, or did not finish.
    """
    prefix, settings = f"{name}.", kafka_settings(stack, f"{name}.")
    asyncio.run(ensure_topics(settings))
    asyncio.run(register(MongoSettings(MONGO_URI=stack.mongo_uri, MONGO_DB=name), filling.numbers))  # type: ignore[call-arg]  # by their aliases
    with ExitStack() as open_:
        database = open_.enter_context(MongoClient[dict[str, Any]](stack.mongo_uri))[name]
        environment = processor_environment(stack, prefix=prefix, group=name) | {
            "MONGO_DB": name,
            "PROCESSOR_SESSION_TIMEOUT_S": str(SESSION_S),
        }
        processes: list[Process] = []
        open_.callback(end, processes)
        for number in range(count):
            own = environment | {"INSTANCE_ID": f"{name}-{number}"}
            processes.append(start((sys.executable, "-m", "processor"), environment=own))
        _wait_shared(database, processes, settings.partitions)
        derived = DerivedTopics(stack.kafka_brokers, prefix)
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        asyncio.run(append(settings, filling.commands))
        before, started_s = _cpu_s(stack, processes), time.monotonic()
        for process in processes:
            process.send_signal(signal.SIGCONT)
        _wait_applied(database, derived, processes, filling)
        seconds, after = time.monotonic() - started_s, _cpu_s(stack, processes)
        _require_right(database, derived, filling)
    drop(stack.mongo_uri, name)
    events = len(filling.commands)
    cpu_us = {part: (after[part] - before[part]) / events * 1e6 for part in after}
    return SharedDrain(count=count, events=events, seconds=seconds, cpu_us=cpu_us)


def _wait_shared(database: Database[dict[str, Any]], processes: Sequence[Process], partitions: int) -> None:
    """Block until each process has taken over its share of the partitions."""
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        owned = Counter(fence["owner"] for fence in database["partition_fences"].find())
        if owned.total() == partitions and len(owned) == len(processes) and _is_even(owned):
            return
        _look_after(processes, deadline_s, f"share {partitions} partitions; they have {dict(owned)}")


def _is_even(owned: Mapping[str, int]) -> bool:
    return max(owned.values()) - min(owned.values()) <= 1


def _wait_applied(
    database: Database[dict[str, Any]], derived: DerivedTopics, processes: Sequence[Process], filling: Filling
) -> None:
    """Block until all is recorded and published."""
    deadline_s, messages = time.monotonic() + DEADLINE_S, published(filling)
    # What a transaction inserts is counted before it is committed: the histories have the last word.
    while (
        database["status_events"].estimated_document_count() < filling.distinct
        or not are_whole(database, filling)
        or derived.count() < messages
    ):
        _look_after(processes, deadline_s, "drain their topic")


def _look_after(processes: Sequence[Process], deadline_s: float, task: str) -> None:
    """Pause before the next look.

    Raises:
        RuntimeError: a process has ended.
        TimeoutError: the deadline has passed.
    """
    for process in processes:
        if process.poll() is not None:
            raise RuntimeError(f"a processor ended with exit code {process.returncode}")
    if time.monotonic() > deadline_s:
        raise TimeoutError(f"the processors did not {task} in {DEADLINE_S:.0f} s")
    time.sleep(POLL_S)


def _require_right(database: Database[dict[str, Any]], derived: DerivedTopics, filling: Filling) -> None:
    wrong = wrong_outcomes(recorded_outcomes(database), filling.outcomes)
    excess = derived.count() - published(filling)
    if wrong or excess:
        raise RuntimeError(f"{len(wrong)} wrong outcomes {wrong[:3]}, {excess} messages too many")


def _cpu_s(stack: RunningStack, processes: Sequence[Process]) -> dict[str, float]:
    servers = cpu_seconds(stack)
    return {"processors": sum(cpu_of(each.pid) for each in processes)} | {
        name: servers[name] for name in SERVERS
    }


def play(stack: RunningStack, *, events: int, rounds: int) -> list[SharedDrain]:
    """Measure each number of processors in each round; a first drain does not count: the servers warm up."""
    measure(stack, 1, make_filling(events=events // 4, seed=0), "scaling_warm_up")
    drains = []
    for number in range(1, rounds + 1):
        filling = make_filling(events=events, seed=number)
        for count in COUNTS:
            drains.append(measure(stack, count, filling, f"scaling_{number}_{count}"))
            sys.stderr.write(f"{count}: {drains[-1].rate:.0f} events/s\n")
    return drains


def report(drains: Sequence[SharedDrain]) -> Iterator[str]:
    """Yield the figures, medians over the rounds."""
    one = statistics.median(each.rate for each in drains if each.count == COUNTS[0])
    parts = tuple(drains[0].cpu_us)
    yield f"topic            {drains[0].events} events, 5 % of them twice, on 12 partitions"
    yield f"store            MongoDB, Redis and Kafka on the same {os.cpu_count()} cores"
    rounds = len(drains) // len(COUNTS)
    yield f"rounds           {rounds}, medians; every outcome, history and message is checked"
    yield ""
    yield f"processors   events/s   times one   cores in use   CPU of an event, µs: {'  '.join(parts)}  all"
    for count in COUNTS:
        same = [each for each in drains if each.count == count]
        rate = statistics.median(each.rate for each in same)
        cores = statistics.median(each.cores for each in same)
        costs = [statistics.median(each.cpu_us[part] for each in same) for part in parts]
        shown = "  ".join(
            f"{cost:{len(part)}.1f}" for part, cost in zip((*parts, "all"), (*costs, sum(costs)), strict=True)
        )
        yield f"{count:>10} {rate:10.0f} {rate / one:11.2f} {cores:14.2f} {'':>25}{shown}"
