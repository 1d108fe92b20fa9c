"""Throughput: batches of events through the gateway until they are applied, all on this machine.

    make bench

Starts a stack of its own, registers the shipments straight through the log (not measured), then posts a
realistic mix (5 % exact duplicates, 1 % illegal transitions) with authentication on, and waits until every
event has its outcome. Prints the machine, accepted/s, end to end/s and the CPU seconds of each process.
"""

import argparse
import asyncio
import os
import platform
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil
from pydantic_core import to_json
from pymongo import MongoClient

from devstack.client import RunningStack, start_stack
from domain.commands import CreateShipment
from domain.identity import creation_event_id
from domain.status import Status
from domain.tracking_number import TrackingNumber, tracking_number_from
from messaging.command_log import KafkaCommandLog
from messaging.producer import ResilientProducer
from messaging.settings import KafkaSettings
from messaging.topics import Topics

WALK: Final = (Status.PICKED_UP, Status.IN_WAREHOUSE, Status.IN_TRANSIT, Status.DELIVERED)
STARTED_AT: Final = datetime(2026, 11, 2, 6, tzinfo=UTC)
DUPLICATES: Final = 0.05
ILLEGAL: Final = 0.01
POLL_S: Final = 0.05
DEADLINE_S: Final = 600.0

Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent."""

    numbers: list[TrackingNumber]
    bodies: list[bytes]
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured."""

    events: int
    accepted_s: float
    applied_s: float
    cpu_s: dict[str, float]


def make_load(*, events: int, batch: int, seed: int) -> Load:
    """Make a load of about `events` events, in batches of `batch`, the shipments interleaved."""
    rng = random.Random(seed)  # noqa: S311  # a load, not a secret
    numbers = [tracking_number_from(rng.randbytes(7)) for _ in range(events // len(WALK))]
    rows: list[Event] = []
    window = 2000
    for first in range(0, len(numbers), window):
        for step, status in enumerate(WALK):
            for index, number in enumerate(numbers[first : first + window]):
                rows.append(_event(number, status, step, index))
                chance = rng.random()
                if chance < DUPLICATES:
                    rows.append(rows[-1])
                elif chance < DUPLICATES + ILLEGAL:
                    rows.append(_event(number, Status.PICKED_UP, step + 10, index))
    bodies = [to_json({"events": rows[at : at + batch]}) for at in range(0, len(rows), batch)]
    return Load(numbers=numbers, bodies=bodies, events=len(rows))


def _event(number: TrackingNumber, status: Status, step: int, index: int) -> Event:
    moment = STARTED_AT + timedelta(hours=step, seconds=index % 3000)
    return {
        "tracking_number": number,
        "status": status.value,
        "timestamp": moment.isoformat(),
        "source": f"scanner-{index % 200}",
        "location": {"lat": 19.4 + index % 100 / 100, "lng": -99.1 - index % 70 / 100},
    }


async def register(stack: RunningStack, numbers: Sequence[TrackingNumber]) -> None:
    """Register the shipments through the log and wait until they exist."""
    settings = KafkaSettings(KAFKA_BROKERS=stack.kafka_brokers)  # type: ignore[call-arg]  # by its alias
    producer = ResilientProducer(settings)
    log = KafkaCommandLog(producer, Topics(), max_in_flight=10_000)
    async with producer.running():
        while not producer.is_started:  # noqa: ASYNC110  # set-up, not measured
            await asyncio.sleep(POLL_S)
        for at in range(0, len(numbers), 2000):
            await log.append([_creation(number) for number in numbers[at : at + 2000]])
    await applied(stack, len(numbers))


def _creation(number: TrackingNumber) -> CreateShipment:
    return CreateShipment(
        event_id=creation_event_id(number),
        tracking_number=number,
        client_id="client_001",
        origin={"address": "Av. Insurgentes Sur 1602", "coordinates": {"lat": 19.37, "lng": -99.18}},
        destination={"address": "Av. Vallarta 3959", "coordinates": {"lat": 20.67, "lng": -103.42}},
        package={"weight_kg": 2.5, "content_description": "Refacciones"},
        timestamp=STARTED_AT,
        received_at=STARTED_AT,
        submitted_by="admin_user",
    )


async def applied(stack: RunningStack, records: int) -> None:
    """Wait until the processor has passed that many records."""
    client: MongoClient[dict[str, Any]] = MongoClient(stack.mongo_uri)
    fences = client["shipping_system"]["partition_fences"]
    deadline = time.monotonic() + DEADLINE_S
    with client:
        while sum(fence["next_offset"] for fence in fences.find()) < records:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not all of {records} records were applied in {DEADLINE_S:.0f} s")
            await asyncio.sleep(POLL_S)


async def post_all(stack: RunningStack, bodies: Sequence[bytes], *, connections: int) -> None:
    """Post the batches in order, `connections` at a time; any answer but 202 ends the run."""
    async with aiohttp.ClientSession(stack.gateway_url) as session:
        login = {"username": "driver_user_001", "password": "password123"}
        async with session.post("/auth/login", json=login) as answer:
            token = (await answer.json())["token"]
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


def cpu_seconds(stack: RunningStack) -> dict[str, float]:
    """Return the CPU seconds, user and system, of each process of the stack, and of this one."""
    used = {"load generator": _cpu_of(os.getpid())}
    for group, members in stack.members().items():
        used[group] = sum(_cpu_of(member.pid) for member in members)
    return used


def _cpu_of(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def report(figures: Figures, *, batch: int, connections: int) -> str:
    """Return the figures as text, with the machine they were measured on."""
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    lines = [
        f"machine          {os.cpu_count()} cores, {platform.machine()}, {system}",
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
