"""What stands where after a day's work: the log, the dead letters, the derived topics, both collections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from pydantic_core import from_json

from domain.errors import PoisonRecord
from domain.shipments.commands import Command
from messaging import codec
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from storage.mongo.database import Database
from storage.mongo.schema import SHIPMENTS, STATUS_EVENTS
from tests.support.topics import read_topic

Document = Mapping[str, Any]
Place = tuple[int, int]
"""Partition and offset."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One record of the log: None for a command where it cannot be read; a digest of its key and value."""

    place: Place
    command: Command | None
    fingerprint: str = ""
    digest: bytes = b""


class Letter(NamedTuple):
    """A dead letter: where the record stood that died, a digest of its key and value, and why it died."""

    place: Place
    digest: bytes
    error: str


class Told(NamedTuple):
    """A message of a derived topic."""

    event_id: str
    tracking_number: str
    version: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Observed:
    """The log in the order of its offsets, the documents, and what was told of them.

    Attributes:
        told: by topic without its prefix; None where nobody has looked.
    """

    log: Sequence[Logged]
    shipments: Mapping[str, Document]
    events: Mapping[str, Document]
    letters: Sequence[Letter] = ()
    told: Mapping[str, Sequence[Told]] | None = None


async def observe(settings: KafkaSettings, database: Database, *, told: bool = False) -> Observed:
    """Read the log, the dead letters and both collections; `told`: the derived topics too."""
    topics = Topics(settings.topic_prefix)
    return Observed(
        log=[logged(record) for record in await read_topic(settings, topics.events)],
        letters=[letter_in(record) for record in await read_topic(settings, topics.dead_letters)],
        shipments={document["_id"]: document async for document in database[SHIPMENTS].find()},
        events={document["_id"]: document async for document in database[STATUS_EVENTS].find()},
        told=await _told(settings) if told else None,
    )


def digest_of(key: bytes | None, value: bytes | None) -> bytes:
    """Return a digest of a record's key and value; one that is missing is as good as an empty one."""
    return blake2b((key or b"") + b"\0" + (value or b""), digest_size=16).digest()


def logged(record: Any) -> Logged:  # noqa: ANN401  # aiokafka ships no types
    """Return what a record of the log says, and where it stands."""
    place, digest = (record.partition, record.offset), digest_of(record.key, record.value)
    try:
        decoded = codec.decode(record.value)
    except PoisonRecord:
        return Logged(place, None, digest=digest)
    return Logged(place, decoded.command, decoded.fingerprint, digest)


def letter_in(record: Any) -> Letter:  # noqa: ANN401  # as above
    """Return what a record of the dead-letter topic says."""
    told = {name: value.decode() for name, value in record.headers if name.startswith("dlq-")}
    place = (int(told["dlq-partition"]), int(told["dlq-offset"]))
    return Letter(place, digest_of(record.key, record.value), told["dlq-error"])


async def _told(settings: KafkaSettings) -> dict[str, list[Told]]:
    topics = Topics(settings.topic_prefix)
    return {
        name.removeprefix(settings.topic_prefix): [
            message_in(record) for record in await read_topic(settings, name)
        ]
        for name in (topics.changes, topics.created, topics.delivered, topics.location)
    }


def message_in(record: Any) -> Told:  # noqa: ANN401  # as above
    """Return what a record of a derived topic says."""
    said = from_json(record.value)
    return Told(said["id"], said["subject"], said["data"]["version"], digest_of(record.key, record.value))
