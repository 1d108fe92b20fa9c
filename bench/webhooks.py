"""Webhooks: deliveries a second, isolation, many endpoints, and what the service costs the pipeline.

    make bench BENCH=webhooks ARGS='--save'

Each part starts a stack of its own, with a light receiver in this process (`bench.receiving`):

- rate: shipments are created through the log, and each is told to 20 endpoints; deliveries a second from the
  first to the last, and the same with one endpoint alone;
- isolation: 50 endpoints, and one whose receiver takes every request and never answers. Events at a steady
  rate, each timed from before it is posted until each of the 50 has it;
- many: 5,000 endpoints of a client each, 50 of them dead (half refuse, half hang), under a steady load; the
  memory of the service over time;
- pipeline: the throughput of batches (`bench.throughput`) with the service running and no endpoint, and with
  the service stopped (SIGSTOP), in turns.
"""

import asyncio
import random
import signal
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

import aiohttp
import psutil
import uvloop
from bench.load import append, command_log, creation, kafka_settings, log_in, make_load
from bench.percentiles import Latencies, table
from bench.receiving import LOOPBACK, Receiver, receiver, silence
from bench.saving import command_line, publish
from bench.stacks import ONE_PER_CORE, bench_stack
from bench.throughput import compared, measure

from devstack.client import RunningStack
from domain.shipments.commands import CreateShipment
from domain.shipments.tracking_number import tracking_number_from

PARTS: Final = ("rate", "isolation", "many", "pipeline")
UNLIMITED: Final = {"LIMIT_INGEST_PER_S": "1000000", "LIMIT_READS_PER_S": "1000000"}
WITHIN_S: Final = 600.0
AT_ONCE: Final = 16
SAMPLE_S: Final = 5.0
MIB: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Size of the load."""

    endpoints: int = 20
    deliveries: int = 60_000
    healthy: int = 50
    isolation_per_s: float = 10.0
    isolation_s: float = 30.0
    many: int = 5_000
    dead: int = 50
    many_per_s: float = 200.0
    many_s: float = 120.0
    rounds: int = 5
    events: int = 100_000


def creations(count: int, *, seed: int, clients: Sequence[str] = ("client_001",)) -> list[CreateShipment]:
    """Make commands that create shipments of clients drawn at random."""
    chance = random.Random(seed)  # noqa: S311  # a load, not a secret
    numbers = [tracking_number_from(chance.randbytes(7)) for _ in range(count)]
    return [replace(creation(number), client_id=chance.choice(clients)) for number in numbers]


@asynccontextmanager
async def as_admin(stack: RunningStack) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session with an admin's token."""
    async with aiohttp.ClientSession(stack.gateway_url) as nobody:
        token = await log_in(nobody, "admin_user")
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(stack.gateway_url, headers=headers) as session:
        yield session


async def register(admin: aiohttp.ClientSession, endpoints: Sequence[dict[str, str]]) -> list[str]:
    """Register endpoints, and return their ids."""
    waiting, ids = iter(endpoints), list[str]()

    async def lane() -> None:
        for endpoint in waiting:
            async with admin.post("/webhooks", json=endpoint) as response:
                response.raise_for_status()
                ids.append((await response.json())["id"])

    await asyncio.gather(*(lane() for _ in range(AT_ONCE)))
    return ids


async def rate(stack: RunningStack, endpoints: int, deliveries: int) -> float:
    """Return the deliveries a second of changes that are told to so many endpoints."""
    changes = deliveries // endpoints
    async with receiver() as hooks, as_admin(stack) as admin:
        ids = await register(admin, [{"url": hooks.url(f"/{index}")} for index in range(endpoints)])
        await append(kafka_settings(stack), creations(changes, seed=deliveries + endpoints))
        await hooks.has(1, within_s=WITHIN_S)
        started, before = time.perf_counter(), hooks.received
        await hooks.has(changes * endpoints, within_s=WITHIN_S)
        for each in ids:
            async with admin.delete(f"/webhooks/{each}") as response:
                response.raise_for_status()
        return (hooks.received - before) / (hooks.last_at - started)


async def isolation(stack: RunningStack, sizes: Sizes) -> Latencies:
    """Return the times from before a change enters the log until each healthy endpoint has it."""
    begun: dict[str, float] = {}
    latencies = Latencies()

    def arrived(event_id: str, _path: str) -> None:
        latencies.add(time.perf_counter() - begun[event_id])

    async with receiver(arrived) as hooks, silence() as hanging, as_admin(stack) as admin:
        urls = [hooks.url(f"/{index}") for index in range(sizes.healthy)]
        await register(admin, [{"url": url} for url in urls])
        # Of a client, for it has a bound of its own: as many as the healthy ones, which are for all.
        await register(admin, [{"url": f"http://{LOOPBACK}:{hanging}/", "client_id": "client_001"}])
        commands = creations(round(sizes.isolation_per_s * sizes.isolation_s), seed=7)
        await append_at(stack, commands, per_s=sizes.isolation_per_s, begun=begun)
        await hooks.has(len(commands) * sizes.healthy, within_s=WITHIN_S)
    return latencies


async def many(stack: RunningStack, sizes: Sizes) -> tuple[Receiver, list[float]]:
    """Return the receiver of many endpoints under load, and the memory of the service meanwhile, in MiB."""
    clients = [f"client_{index}" for index in range(sizes.many)]
    async with receiver() as hooks, silence() as hanging, as_admin(stack) as admin:
        dead = [f"http://{LOOPBACK}:{port}/" for port in (hanging, 1)] * (sizes.dead // 2)
        urls = [*dead, *(hooks.url(f"/{index}") for index in range(sizes.many - len(dead)))]
        await register(
            admin, [{"url": url, "client_id": client} for url, client in zip(urls, clients, strict=True)]
        )
        commands = creations(round(sizes.many_per_s * sizes.many_s), seed=8, clients=clients)
        memory: list[float] = []
        sampling = asyncio.create_task(_sample(stack, memory))
        await append_at(stack, commands, per_s=sizes.many_per_s, begun={})
        healthy = sum(command.client_id not in clients[: len(dead)] for command in commands)
        await hooks.has(healthy, within_s=WITHIN_S)
        sampling.cancel()
        return hooks, memory


async def append_at(
    stack: RunningStack, commands: Sequence[CreateShipment], *, per_s: float, begun: dict[str, float]
) -> None:
    """Append commands at a steady rate, and note in `begun` when each one began."""
    async with command_log(kafka_settings(stack)) as log:
        start = time.perf_counter()
        for index, command in enumerate(commands):
            await asyncio.sleep(max(0.0, start + index / per_s - time.perf_counter()))
            begun[command.event_id] = time.perf_counter()
            await log.append([command])


async def _sample(stack: RunningStack, memory: list[float]) -> None:
    processes = [psutil.Process(member.pid) for member in stack.members()["webhooks"]]
    while True:
        memory.append(sum(process.memory_info().rss for process in processes) / MIB)
        await asyncio.sleep(SAMPLE_S)


async def pipeline(stack: RunningStack, sizes: Sizes) -> tuple[list[float], list[float]]:
    """Return the events a second with the service running idly, and with it stopped, in turns."""
    running, stopped = list[float](), list[float]()
    for turn in range(2 * sizes.rounds + 2):
        is_stopped = turn % 2 == 1
        load = make_load(events=sizes.events, batch=500, seed=100 + turn)
        stack.signal("webhooks", signal.SIGSTOP if is_stopped else signal.SIGCONT)
        figures = await measure(stack, load, connections=4)
        stack.signal("webhooks", signal.SIGCONT)
        if turn > 1:  # the first of each kind warms up
            (stopped if is_stopped else running).append(figures.events_s)
    return running, stopped


def report_rate(port: int, sizes: Sizes) -> str:
    """Measure the deliveries a second."""
    with bench_stack(port, environment=UNLIMITED) as stack:
        uvloop.run(rate(stack, sizes.endpoints, sizes.deliveries // 10))  # warms up
        several = uvloop.run(rate(stack, sizes.endpoints, sizes.deliveries))
        alone = uvloop.run(rate(stack, 1, sizes.deliveries // 4))
    return f"rate       {several:,.0f} deliveries/s to {sizes.endpoints} endpoints, {alone:,.0f} to one"


def report_isolation(port: int, sizes: Sizes) -> str:
    """Measure how late others are for one that hangs."""
    with bench_stack(port, environment=UNLIMITED) as stack:
        latencies = uvloop.run(isolation(stack, sizes))
    name = f"{sizes.healthy} healthy endpoints and one that hangs, {sizes.isolation_per_s:g} changes/s"
    return f"isolation  from a change until it is received\n{table({name: latencies})}"


def report_many(port: int, sizes: Sizes) -> str:
    """Measure the memory under many endpoints."""
    with bench_stack(port, environment=UNLIMITED) as stack:
        hooks, memory = uvloop.run(many(stack, sizes))
    third = len(memory) // 3
    first, last = statistics.mean(memory[third : 2 * third]), statistics.mean(memory[2 * third :])
    return (
        f"many       {sizes.many:,} endpoints, {sizes.dead} of them dead: {hooks.received:,} deliveries; "
        f"memory {memory[0]:.0f} MiB at first, {first:.0f} in the second third, {last:.0f} in the last, "
        f"at most {max(memory):.0f}"
    )


def report_pipeline(port: int, sizes: Sizes) -> str:
    """Measure what the idle service costs the pipeline."""
    with bench_stack(port, environment={**UNLIMITED, **ONE_PER_CORE}) as stack:
        running, stopped = uvloop.run(pipeline(stack, sizes))
    return compared("the service", running, stopped)


def main() -> None:
    """Run the benchmark."""
    parser = command_line(__doc__, port=18_190)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    reports = {
        "rate": report_rate,
        "isolation": report_isolation,
        "many": report_many,
        "pipeline": report_pipeline,
    }
    publish("webhooks", "\n".join(reports[part](options.port, Sizes()) for part in options.parts), options)


if __name__ == "__main__":
    main()
