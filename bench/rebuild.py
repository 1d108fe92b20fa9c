"""Rebuilding: how fast shipments are compared with the audit log, and with the topic.

    .uv/bin/uv run python -m bench.rebuild --shipments 40000

Starts a stack of its own, appends shipments with five events each straight to the log, a tenth of them twice,
waits until all are applied, then runs what `make rebuild-check` runs, from each source; prints its verdicts.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from bench.load import STARTED_AT, WALK, applied, command_log, machine
from bench.stacks import bench_stack

from devstack.client import RunningStack
from domain.shipments.commands import Command, CreateShipment, ReportStatus
from domain.shipments.event_identity import creation_event_id, event_id
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber, derive_tracking_number

TWICE_EVERY: Final = 10
CHUNK: Final = 500


def life(index: int) -> Iterator[Command]:
    """Return all events of a shipment."""
    number = derive_tracking_number("bench", str(index), 0)
    creation = CreateShipment(
        event_id=creation_event_id(number),
        tracking_number=number,
        client_id=f"client_{index % 50:03}",
        origin={"address": "Calle 26 #59-41, Bogotá", "coordinates": {"lat": 4.6482, "lng": -74.1025}},
        destination={"address": "Av. Arequipa 1250", "coordinates": {"lat": -12.07, "lng": -77.03}},
        package={"weight_kg": 2.5, "content_description": "books"},
        timestamp=STARTED_AT,
        received_at=STARTED_AT,
        submitted_by="bench",
    )
    yield creation
    for step, status in enumerate(WALK, 1):
        yield report(number, status, step, index)
        if index % TWICE_EVERY == step:
            yield report(number, status, step, index)


def report(number: TrackingNumber, status: Status, step: int, index: int) -> ReportStatus:
    """Return the event that changes the status of a shipment."""
    at = STARTED_AT + timedelta(hours=step, milliseconds=index)
    return ReportStatus(
        event_id=event_id(number, at, f"scanner-{index % 97}"),
        tracking_number=number,
        status=status,
        timestamp=at,
        source=f"scanner-{index % 97}",
        received_at=at,
        submitted_by="driver_user_001",
        location={"lat": 4.65, "lng": -74.1},
    )


async def fill(stack: RunningStack, shipments: int) -> None:
    """Append everything to the log and wait until it is applied."""
    sent = 0
    async with command_log(stack) as log:
        for first in range(0, shipments, CHUNK):
            commands = [each for index in range(first, min(first + CHUNK, shipments)) for each in life(index)]
            await log.append(commands)
            sent += len(commands)
    await applied(stack, sent)


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
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shipments", type=int, default=40_000)
    parser.add_argument("--port", type=int, default=18_090)
    options = parser.parse_args()
    print(f"machine: {machine()}, load {os.getloadavg()[0]:.1f}")
    with bench_stack(options.port, environment={"ENV": "development"}) as stack:
        started = time.monotonic()
        asyncio.run(fill(stack, options.shipments))
        print(f"{options.shipments} shipments applied in {time.monotonic() - started:.0f} s")
        for source in ("audit", "log", "both"):
            print(f"{source:6}{check(stack, source)}")


if __name__ == "__main__":
    main()
