"""Rebuilding: how fast shipments are compared with the audit log, and with the topic.

    make bench BENCH=rebuild ARGS='--shipments 40000'

Starts a stack of its own, appends the lives of shipments straight to the log, waits until all are applied,
then runs what `make rebuild-check` runs, from each source; prints its verdicts.
"""

import asyncio
import os
import subprocess
import sys
import time

from bench.load import WALK, append, applied, commands_of, kafka_settings, make_load, register
from bench.saving import command_line, publish
from bench.stacks import bench_stack

from devstack.client import RunningStack


async def fill(stack: RunningStack, shipments: int) -> int:
    """Append everything to the log, wait until it is applied, and return how many records that are."""
    load = make_load(events=len(WALK) * shipments, batch=500, seed=1)
    await register(stack, load.numbers)
    await append(kafka_settings(stack), commands_of(load))
    records = len(load.numbers) + load.events
    await applied(stack, records)
    return records


def check(stack: RunningStack, source: str) -> str:
    """Run a check and return its verdict."""
    command = ("toolbox", "rebuild", "check", "--from", source)
    done = subprocess.run(
        [sys.executable, "-m", "devstack", "exec", sys.executable, "-m", *command],
        env={**os.environ, "WAYBILL_HOME": str(stack.home.root)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1]


def main() -> None:
    """Measure."""
    parser = command_line(__doc__, port=18_090)
    parser.add_argument("--shipments", type=int, default=40_000)
    options = parser.parse_args()
    with bench_stack(options.port, environment={"ENV": "development"}) as stack:
        started = time.monotonic()
        records = asyncio.run(fill(stack, options.shipments))
        lines = [f"{options.shipments} shipments, {records} records in {time.monotonic() - started:.0f} s"]
        lines += [f"{source:6}{check(stack, source)}" for source in ("audit", "log", "both")]
    publish("rebuild", "\n".join((f"load     {os.getloadavg()[0]:.1f}", *lines)), options)


if __name__ == "__main__":
    main()
