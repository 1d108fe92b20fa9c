"""Shared parts of the benchmarks: loads of events, shipments registered in the log, the stack's figures."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import aiohttp
import psutil
from pydantic_core import from_json, to_json
from pymongo import MongoClient

from devstack.client import RunningStack
from devstack.home.stack_file import SERVICES
from domain.shipments.commands import Command, CreateShipment, ReportStatus
from domain.shipments.event_identity import creation_event_id, event_id
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber, tracking_number_from
from domain.timestamps import parse_timestamp
from messaging.producer.command_log import KafkaCommandLog
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.settings import KafkaSettings
from messaging.topics import Topics

WALK: Final = (Status.PICKED_UP, Status.IN_WAREHOUSE, Status.IN_TRANSIT, Status.DELIVERED)
STARTED_AT: Final = datetime(2026, 11, 2, 6, tzinfo=UTC)
DUPLICATES: Final = 0.05
ILLEGAL: Final = 0.01
WINDOW: Final = 2000
"""Number of shipments under way at once, their events interleaved."""
LATE: Final = 10
"""Number of steps after which an illegal event follows."""
POLL_S: Final = 0.05
DEADLINE_S: Final = 600.0

CHUNK: Final = 2000
"""Number of commands appended at once."""

Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Requests to send."""

    numbers: list[TrackingNumber]
    bodies: list[bytes]
    events: int


def make_load(*, events: int, batch: int, seed: int) -> Load:
    """Make a load of about `events` events, in batches of `batch`, the shipments interleaved."""
    rng = random.Random(seed)  # noqa: S311  # a load, not a secret
    numbers = [tracking_number_from(rng.randbytes(7)) for _ in range(events // len(WALK))]
    rows = list(_lives(numbers, rng))
    bodies = [to_json({"events": rows[at : at + batch]}) for at in range(0, len(rows), batch)]
    return Load(numbers=numbers, bodies=bodies, events=len(rows))


def _lives(numbers: Sequence[TrackingNumber], rng: random.Random) -> Iterator[Event]:
    """Yield complete lives of shipments, many of them interleaved."""
    for first in range(0, len(numbers), WINDOW):
        for step, status in enumerate(WALK):
            for index, number in enumerate(numbers[first : first + WINDOW]):
                yield from disturbed(rng, number, status, step, index)


def disturbed(
    rng: random.Random, number: TrackingNumber, status: Status, step: int, index: int
) -> Iterator[Event]:
    """Yield an event; now and then it comes twice, or is followed by an illegal one."""
    event = status_event(number, status, step, index)
    yield event
    chance = rng.random()
    if chance < DUPLICATES:
        yield event
    elif chance < DUPLICATES + ILLEGAL:
        yield status_event(number, Status.PICKED_UP, step + LATE, index)


def status_event(number: TrackingNumber, status: Status, step: int, index: int) -> Event:
    """Return an event to report, at a timestamp specific to that step."""
    moment = STARTED_AT + timedelta(hours=step, seconds=index % 3000)
    return {
        "tracking_number": number,
        "status": status.value,
        "timestamp": moment.isoformat(),
        "source": f"scanner-{index % 200}",
        "location": {"lat": 19.4 + index % 100 / 100, "lng": -99.1 - index % 70 / 100},
    }


def commands_of(load: Load) -> Iterator[ReportStatus]:
    """Return the commands that ingest-api makes of the load, in order."""
    for body in load.bodies:
        for event in from_json(body)["events"]:
            timestamp = parse_timestamp(event["timestamp"])
            yield ReportStatus(
                event_id=event_id(event["tracking_number"], timestamp, event["source"]),
                tracking_number=event["tracking_number"],
                status=Status(event["status"]),
                timestamp=timestamp,
                source=event["source"],
                received_at=timestamp,
                submitted_by="driver_user_001",
                location=event["location"],
            )


async def register(stack: RunningStack, numbers: Sequence[TrackingNumber]) -> None:
    """Register the shipments through the log and wait until they exist."""
    end = passed(stack) + len(numbers)
    await append(kafka_settings(stack), map(creation, numbers))
    await applied(stack, end)


def kafka_settings(stack: RunningStack, prefix: str = "") -> KafkaSettings:
    """Return the Kafka settings; `prefix` is that of the topics."""
    return KafkaSettings(KAFKA_BROKERS=stack.kafka_brokers, KAFKA_TOPIC_PREFIX=prefix)  # type: ignore[call-arg]  # by their aliases


async def append(settings: KafkaSettings, commands: Iterable[Command]) -> None:
    """Append commands to the log, in order."""
    waiting = iter(commands)
    async with command_log(settings) as log:
        while chunk := list(islice(waiting, CHUNK)):
            await log.append(chunk)


@asynccontextmanager
async def command_log(settings: KafkaSettings) -> AsyncIterator[KafkaCommandLog]:
    """Open the log for unmeasured work."""
    producer = ResilientProducer(settings)
    async with producer.running():
        while not producer.is_started:  # noqa: ASYNC110  # once
            await asyncio.sleep(POLL_S)
        yield KafkaCommandLog(producer, Topics(settings.topic_prefix), max_in_flight=10_000)


def creation(number: TrackingNumber) -> CreateShipment:
    """Return the command that creates a shipment."""
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
    """Wait until the processor has passed that many records since the stack was new."""
    deadline = time.monotonic() + DEADLINE_S
    with _mongo(stack) as client:
        while _passed(client) < records:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not all of {records} records were applied in {DEADLINE_S:.0f} s")
            await asyncio.sleep(POLL_S)


def passed(stack: RunningStack) -> int:
    """Return how many records the processor has passed since the stack was new."""
    with _mongo(stack) as client:
        return _passed(client)


def _passed(client: MongoClient[dict[str, Any]]) -> int:
    return sum(fence["next_offset"] for fence in client["shipping_system"]["partition_fences"].find())


def _mongo(stack: RunningStack) -> MongoClient[dict[str, Any]]:
    return MongoClient(stack.mongo_uri)


def cpu_seconds(stack: RunningStack) -> dict[str, float]:
    """Return the CPU seconds, user and system, of each process of the stack, and of this one."""
    used = {"load generator": cpu_of(os.getpid())}
    for group, members in stack.members().items():
        used[group] = sum(cpu_of(member.pid) for member in members)
    return used


def resident_mib(stack: RunningStack) -> dict[str, float]:
    """Return the memory held by the processes of each service, the largest of several replicas."""
    members = stack.members()
    return {
        group: max(psutil.Process(member.pid).memory_info().rss for member in members[group]) / 2**20
        for group in SERVICES
    }


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process, user and system."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def log_in(session: aiohttp.ClientSession, username: str) -> str:
    """Return a token of a seeded user."""
    login = {"username": username, "password": "password123"}
    async with session.post("/auth/login", json=login) as response:
        return str((await response.json())["token"])
