"""A topic filled with a realistic log before measuring, and shipments that exist already."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from bench.load import STARTED_AT, WALK, creation, lifelike
from pymongo import MongoClient

from domain.processing.batch import ConsumedCommand, ShipmentTransition
from domain.shipments.commands import ReportStatus
from domain.shipments.event_identity import event_id
from domain.shipments.shipment import Created, evolve
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber, tracking_number_from
from messaging.producer.command_log import KafkaCommandLog
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.settings import KafkaSettings
from messaging.topics import Topics, ensure_topics
from storage.mongo.database import open_database
from storage.mongo.documents import shipment_document
from storage.mongo.schema import SHIPMENTS, apply_schema
from storage.settings import MongoSettings

_CHUNK: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """Contents of the log, in order; `distinct` without the repetitions."""

    numbers: Sequence[TrackingNumber]
    commands: Sequence[ReportStatus]
    distinct: int
    illegal: int


def make_filling(*, events: int, seed: int) -> Filling:
    """Make complete lives of shipments, about `events` events, 5 % of them twice, 1 % illegal."""
    rng = random.Random(seed)  # noqa: S311  # a load, not a secret
    numbers = [tracking_number_from(rng.randbytes(7)) for _ in range(events // len(WALK))]
    commands = list(lifelike(numbers, rng, report))
    distinct = len({command.event_id for command in commands})
    illegal = distinct - len(numbers) * len(WALK)
    return Filling(numbers=numbers, commands=commands, distinct=distinct, illegal=illegal)


def report(number: TrackingNumber, status: Status, step: int, index: int) -> ReportStatus:
    """Return an event at a timestamp specific to that step."""
    timestamp = STARTED_AT + timedelta(hours=step, seconds=index % 3000)
    source = f"scanner-{index % 200}"
    return ReportStatus(
        event_id=event_id(number, timestamp, source),
        tracking_number=number,
        status=status,
        timestamp=timestamp,
        source=source,
        received_at=timestamp,
        submitted_by="driver_user_001",
        location={"lat": 19.4 + index % 100 / 100, "lng": -99.1 - index % 70 / 100},
    )


async def fill(settings: KafkaSettings, commands: Sequence[ReportStatus]) -> None:
    """Create the topics and append the commands."""
    await ensure_topics(settings)
    producer = ResilientProducer(settings)
    async with producer.running():
        while not producer.is_started:  # noqa: ASYNC110  # once
            await asyncio.sleep(0.05)
        log = KafkaCommandLog(producer, Topics(settings.topic_prefix), max_in_flight=10_000)
        for at in range(0, len(commands), _CHUNK):
            await log.append(commands[at : at + _CHUNK])


async def register(settings: MongoSettings, numbers: Sequence[TrackingNumber]) -> None:
    """Give a database our schema, and the shipments in their state right after creation."""
    async with open_database(settings) as database:
        await apply_schema(database)
        for at in range(0, len(numbers), _CHUNK):
            await database[SHIPMENTS].insert_many(
                [created_document(number) for number in numbers[at : at + _CHUNK]]
            )


def created_document(number: TrackingNumber) -> dict[str, Any]:
    """Return a shipment without any events."""
    command = creation(number)
    shipment = evolve(None, Created(command.event_id, number, command.client_id))
    delivery = ConsumedCommand(command=command, offset=0, fingerprint="")
    change = ShipmentTransition(None, shipment, [delivery])
    return shipment_document(change, recorded_at=STARTED_AT)


def drop(uri: str, database: str) -> None:
    """Remove a database, so that the next contender starts with the same disk state."""
    with MongoClient[dict[str, Any]](uri) as client:
        client.drop_database(database)
