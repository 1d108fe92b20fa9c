"""Single POSTs: how many events one ingest-api takes one by one, against an aiohttp handler doing nothing.

    make bench BENCH=single

A closed loop of keep-alive connections posts single events, with a token, to a bare aiohttp handler (reads
the body, returns 202 with JSON), to ingest-api itself, and through the gateway: in turn, several times, from
the same client. Ingest-api checks the token, validates, charges the user's budget and responds when Kafka has
the event. The processors are paused meanwhile, as the bare handler has none behind it either; with
`--processors` they work on the same cores. Prints requests/s, CPU of the server by request, and the ratios.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import cycle
from statistics import median
from typing import Final

import aiohttp
import uvloop
from bench.lanes import closed_loop, during, open_lanes, request_bytes
from bench.load import WALK, cpu_of, log_in, register, status_event
from bench.processes import end, start
from bench.saving import command_line, publish
from bench.stacks import bench_stack
from pydantic_core import to_json

from devstack.client import RunningStack
from domain.shipments.tracking_number import derive_tracking_number

SHIPMENTS: Final = 5_000
START_S: Final = 20.0
UNLIMITED: Final = {"LIMIT_INGEST_PER_S": "1000000"}
BARE, DIRECT, GATEWAY = "bare aiohttp", "ingest-api", "through the gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server to post to.

    Attributes:
        pids: processes whose CPU is reported, the server first.
    """

    name: str
    url: str
    pids: Mapping[str, int]

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds that each process has used so far."""
        return {name: cpu_of(pid) for name, pid in self.pids.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Requested measurement.

    Attributes:
        seconds: of each target in each round.
        processors: whether they work meanwhile.
    """

    rounds: int
    seconds: float
    connections: int
    processors: bool

    def __str__(self) -> str:
        """Return the round as text."""
        behind = "at work" if self.processors else "paused"
        return (
            f"{self.rounds} rounds of {self.seconds:g} s, {self.connections} connections,"
            f" the processors {behind}"
        )


@dataclass(frozen=True, slots=True)
class Round:
    """Result of one round of one target: responses in a second, and CPU per response of each process."""

    per_s: float
    cpu_us: Mapping[str, float]


async def measure(target: Target, requests: Iterator[bytes], *, connections: int, seconds: float) -> Round:
    """Post for a while, and count the responses; any status but 202 ends the run."""
    async with open_lanes(target.url, connections) as lanes:
        before, started = target.cpu_s(), time.perf_counter()
        count = await closed_loop(
            lanes, during(seconds, requests), at_once=connections, expected=HTTPStatus.ACCEPTED
        )
        took, after = time.perf_counter() - started, target.cpu_s()
    return Round(count / took, {name: (after[name] - before[name]) / count * 1e6 for name in before})


def play(port: int, plan: Plan) -> dict[str, list[Round]]:
    """Measure on a stack of its own, beside the bare handler."""
    with bench_stack(port, environment=UNLIMITED) as stack, serving_bare(port + 1) as bare:
        return uvloop.run(compare(stack, bare, plan))


async def compare(stack: RunningStack, bare: Target, plan: Plan) -> dict[str, list[Round]]:
    """Post to all targets in turn."""
    requests = cycle(await prepared(stack))
    targets = [bare, *targets_of(stack)]
    results: dict[str, list[Round]] = {target.name: [] for target in targets}
    with nullcontext() if plan.processors else paused(stack, "processor"):
        for target in targets:  # caches fill, the broker's compiler warms up
            await measure(target, requests, connections=plan.connections, seconds=min(plan.seconds, 2.0))
        for _ in range(plan.rounds):
            for target in targets:
                once = await measure(target, requests, connections=plan.connections, seconds=plan.seconds)
                results[target.name].append(once)
    return results


def targets_of(stack: RunningStack) -> list[Target]:
    """Return both ways to reach ingest-api: directly and through the gateway."""
    ingest = stack.member("ingest-api")
    pids = {"server": ingest.pid, "Kafka": stack.member("kafka").pid, "client": os.getpid()}
    return [
        Target(name=DIRECT, url=f"http://127.0.0.1:{ingest.port}", pids=pids),
        Target(name=GATEWAY, url=stack.gateway_url, pids={**pids, "gateway": stack.member("gateway").pid}),
    ]


async def prepared(stack: RunningStack) -> list[bytes]:
    """Register shipments and return the requests that report their events."""
    numbers = [derive_tracking_number("bench", str(index), 0) for index in range(SHIPMENTS)]
    await register(stack, numbers)
    async with aiohttp.ClientSession(stack.gateway_url) as session:
        token = await log_in(session, "driver_user_001")
    events = (
        status_event(number, status, step, index)
        for step, status in enumerate(WALK)
        for index, number in enumerate(numbers)
    )
    return [request_bytes("POST", "/events", token=token, body=to_json(each)) for each in events]


def report(results: Mapping[str, Sequence[Round]]) -> str:
    """Return the medians as text, with the ratios to the bare handler."""
    bare_per_s = median(each.per_s for each in results[BARE])
    lines = [f"{'':20} {'requests/s':>10} {'of bare':>8}   CPU by request"]
    for name, rounds in results.items():
        per_s = median(each.per_s for each in rounds)
        cpu = ", ".join(
            f"{process} {median(each.cpu_us[process] for each in rounds):.0f} µs"
            for process in rounds[0].cpu_us
        )
        lines.append(f"{name:20} {per_s:10.0f} {per_s / bare_per_s:8.2f}   {cpu}")
    return "\n".join(lines)


@contextmanager
def serving_bare(port: int) -> Iterator[Target]:
    """Run the bare handler in a process of its own."""
    process = start((sys.executable, "-m", "bench.bare", str(port)))
    try:
        wait_for_port(port)
        yield Target(
            name=BARE, url=f"http://127.0.0.1:{port}", pids={"server": process.pid, "client": os.getpid()}
        )
    finally:
        end([process])


def wait_for_port(port: int) -> None:
    """Block until something listens.

    Raises:
        TimeoutError: nothing listens in time.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


@contextmanager
def paused(stack: RunningStack, group: str) -> Iterator[None]:
    """Stop the processes of a group for a while."""
    pids = [member.pid for member in stack.members()[group]]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def main() -> None:
    """Run the benchmark."""
    parser = command_line(__doc__, port=18_188)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each target in each round")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--processors", action="store_true", help="let them work")
    options = parser.parse_args()
    plan = Plan(
        rounds=options.rounds,
        seconds=options.seconds,
        connections=options.connections,
        processors=options.processors,
    )
    publish("single", f"load     {plan}\n{report(play(options.port, plan))}", options)


if __name__ == "__main__":
    main()
