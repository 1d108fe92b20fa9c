"""Throughput: batches of events through the gateway until they are applied, all on this machine.

    make bench

Starts a stack of its own, registers the shipments straight through the log (not measured), then posts a
realistic mix (5 % exact duplicates, 1 % illegal transitions) with authentication on, and waits until every
event has its outcome. Prints the machine, accepted/s, end to end/s and the CPU seconds of each process.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import aiohttp
from bench.load import Load, applied, cpu_seconds, log_in, machine, make_load, register

from devstack.client import RunningStack, start_stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured."""

    events: int
    accepted_s: float
    applied_s: float
    cpu_s: dict[str, float]


async def post_all(stack: RunningStack, bodies: Sequence[bytes], *, connections: int) -> None:
    """Post the batches in order, `connections` at a time; any answer but 202 ends the run."""
    async with aiohttp.ClientSession(stack.gateway_url) as session:
        token = await log_in(session, "driver_user_001")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        waiting = iter(bodies)

        async def lane() -> None:
            for body in waiting:
                async with session.post("/events/batch", data=body, headers=headers) as answer:
                    if answer.status != HTTPStatus.ACCEPTED:
                        raise RuntimeError(f"{answer.status}: {await answer.text()}")
                    await answer.read()

        await asyncio.gather(*(lane() for _ in range(connections)))


async def measure(stack: RunningStack, load: Load, *, connections: int) -> Figures:
    """Send the load and wait until it is applied."""
    await register(stack, load.numbers)
    before = cpu_seconds(stack)
    started = time.perf_counter()
    await post_all(stack, load.bodies, connections=connections)
    accepted_s = time.perf_counter() - started
    await applied(stack, len(load.numbers) + load.events)
    applied_s = time.perf_counter() - started
    used = {name: seconds - before[name] for name, seconds in cpu_seconds(stack).items()}
    return Figures(events=load.events, accepted_s=accepted_s, applied_s=applied_s, cpu_s=used)


def report(figures: Figures, *, batch: int, connections: int) -> str:
    """Return the figures as text, with the machine they were measured on."""
    lines = [
        f"machine          {machine()}",
        f"load             {figures.events} events in batches of {batch}, {connections} connections",
        f"accepted         {figures.events / figures.accepted_s:8.0f} events/s",
        f"end to end       {figures.events / figures.applied_s:8.0f} events/s",
        "CPU per event",
    ]
    for name, seconds in sorted(figures.cpu_s.items(), key=lambda item: -item[1]):
        lines.append(f"  {name:<14} {seconds / figures.events * 1e6:8.1f} µs")
    lines.append(f"  {'all':<14} {sum(figures.cpu_s.values()) / figures.events * 1e6:8.1f} µs")
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--port", type=int, default=18_088)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    load = make_load(events=options.events, batch=options.batch, seed=options.seed)
    with (
        tempfile.TemporaryDirectory(prefix="waybill-bench-") as home,
        start_stack(Path(home), env=dict(os.environ), port=options.port) as stack,
    ):
        figures = asyncio.run(measure(stack, load, connections=options.connections))
        print(report(figures, batch=options.batch, connections=options.connections))


if __name__ == "__main__":
    main()
