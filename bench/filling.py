"""A topic filled with a realistic log before measuring, and shipments that exist already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bench.load import CHUNK, STARTED_AT, WALK, append, commands_of, creation, make_load
from pymongo import MongoClient

from domain.processing.batch import ConsumedCommand, ShipmentTransition
from domain.shipments.commands import ReportStatus
from domain.shipments.event_identity import EventId
from domain.shipments.shipment import Created, evolve
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from messaging.settings import KafkaSettings
from messaging.topics import ensure_topics
from storage.mongo.database import open_database
from storage.mongo.schema import SHIPMENTS, apply_schema
from storage.mongo.shipment_documents import shipment_document
from storage.settings import MongoSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """Contents of the log, in order.

    Attributes:
        outcomes: what each event must come to, without the repetitions.
    """

    numbers: Sequence[TrackingNumber]
    commands: Sequence[ReportStatus]
    outcomes: Mapping[EventId, str]

    @property
    def distinct(self) -> int:
        """Number of events without the repetitions."""
        return len(self.outcomes)

    @property
    def illegal(self) -> int:
        """Number of events that are rejected."""
        return sum(outcome == "rejected" for outcome in self.outcomes.values())


def make_filling(*, events: int, seed: int) -> Filling:
    """Make complete lives of shipments, about `events` events, 5 % of them twice, 1 % illegal."""
    load = make_load(events=events, batch=CHUNK, seed=seed)
    commands = list(commands_of(load))
    return Filling(numbers=load.numbers, commands=commands, outcomes=outcomes_of(commands))


def outcomes_of(commands: Iterable[ReportStatus]) -> dict[EventId, str]:
    """Return what each event must come to, by the one order of a life: not by the rules under measurement."""
    following = dict(pairwise((Status.CREATED, *WALK)))
    reached: dict[TrackingNumber, Status] = {}
    outcomes: dict[EventId, str] = {}
    for command in commands:
        if command.event_id in outcomes:
            continue
        is_next = command.status is following.get(reached.get(command.tracking_number, Status.CREATED))
        outcomes[command.event_id] = "applied" if is_next else "rejected"
        if is_next:
            reached[command.tracking_number] = command.status
    return outcomes


async def fill(settings: KafkaSettings, commands: Sequence[ReportStatus]) -> None:
    """Create the topics and append the commands."""
    await ensure_topics(settings)
    await append(settings, commands)


async def register(settings: MongoSettings, numbers: Sequence[TrackingNumber]) -> None:
    """Give a database our schema, and the shipments in their state right after creation."""
    async with open_database(settings) as database:
        await apply_schema(database)
        for at in range(0, len(numbers), CHUNK):
            await database[SHIPMENTS].insert_many(
                [created_document(number) for number in numbers[at : at + CHUNK]]
            )


def created_document(number: TrackingNumber) -> dict[str, Any]:
    """Return a shipment without any events."""
    command = creation(number)
    shipment = evolve(None, Created(command.event_id, number, command.client_id))
    consumed = ConsumedCommand(command=command, offset=0, fingerprint="")
    change = ShipmentTransition(None, shipment, [consumed])
    return shipment_document(change, recorded_at=STARTED_AT)


def drop(uri: str, database: str) -> None:
    """Remove a database, so that the next contender starts with the same disk state."""
    with MongoClient[dict[str, Any]](uri) as client:
        client.drop_database(database)
