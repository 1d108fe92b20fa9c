"""State after a day's work: the log, the dead letters, the derived topics, both collections."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from domain.errors import PoisonRecord
from domain.shipments.commands import Command
from messaging import codec
from messaging.log.looking import generations_of
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from storage.mongo.database import Database
from storage.mongo.schema import SHIPMENTS, STATUS_EVENTS
from tests.support.topics import read_topic

Document = Mapping[str, Any]
_CONTROL: Final = ("waybill-end", "waybill-probe")
Place = tuple[int, int]
"""Partition and offset; in a later topic of the log 2**40 times its number of partitions is added to it."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One record of the log: None for a command that cannot be decoded; a digest of its key and value."""

    place: Place
    command: Command | None
    fingerprint: str = ""
    digest: bytes = b""


class ObservedDeadLetter(NamedTuple):
    """A dead letter: position of the original record, a digest of its key and value, and the reason."""

    place: Place
    digest: bytes
    error: str


class PublishedMessage(NamedTuple):
    """A message of a derived topic."""

    event_id: str
    tracking_number: str
    version: int
    digest: bytes
    statuses: tuple[str | None, str]
    """Before the change, and after it."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The log in offset order, the documents, and the published messages.

    Attributes:
        published: by topic without its prefix; None if not read.
    """

    log: Sequence[Logged]
    shipments: Mapping[str, Document]
    events: Mapping[str, Document]
    dead_letters: Sequence[ObservedDeadLetter] = ()
    published: Mapping[str, Sequence[PublishedMessage]] | None = None


async def observe(settings: KafkaSettings, database: Database, *, published: bool = False) -> Observed:
    """Read the log, the dead letters and both collections; `published`: the derived topics too."""
    topics = Topics(settings.topic_prefix)
    return Observed(
        log=await _log(settings),
        dead_letters=[dead_letter_in(record) for record in await read_topic(settings, topics.dead_letters)],
        shipments={document["_id"]: document async for document in database[SHIPMENTS].find()},
        events={document["_id"]: document async for document in database[STATUS_EVENTS].find()},
        published=await _published(settings) if published else None,
    )


def digest_of(key: bytes | None, value: bytes | None) -> bytes:
    """Return a digest of a record's key and value; a missing one counts as an empty one."""
    return blake2b((key or b"") + b"\0" + (value or b""), digest_size=16).digest()


async def _log(settings: KafkaSettings) -> list[Logged]:
    """Return the commands of the log, topic after topic."""
    found: list[Logged] = []
    for generation in await generations_of(settings):
        whole = settings.model_copy(update={"partitions": generation.partitions})
        records = await read_topic(whole, generation.topic)
        found += [logged(each) for each in records if not any(name in _CONTROL for name, _ in each.headers)]
    return found


def logged(record: Any) -> Logged:  # noqa: ANN401  # aiokafka ships no types
    """Return the decoded record of the log, with its position."""
    place = (record.partition, _base_of(record.topic) + record.offset)
    digest = digest_of(record.key, record.value)
    try:
        decoded = codec.decode(record.value)
    except PoisonRecord:
        return Logged(place, None, digest=digest)
    return Logged(place, decoded.command, decoded.fingerprint, digest)


def dead_letter_in(record: Any) -> ObservedDeadLetter:  # noqa: ANN401  # as above
    """Return the decoded record of the dead-letter topic."""
    headers = {name: value.decode() for name, value in record.headers if name.startswith("dlq-")}
    place = (int(headers["dlq-partition"]), _base_of(headers["dlq-topic"]) + int(headers["dlq-offset"]))
    return ObservedDeadLetter(place, digest_of(record.key, record.value), headers["dlq-error"])


def _base_of(topic: str) -> int:
    grown = re.fullmatch(r".*shipments\.events-([0-9]+)", topic)
    return 0 if grown is None else int(grown[1]) << 40


async def _published(settings: KafkaSettings) -> dict[str, list[PublishedMessage]]:
    topics = Topics(settings.topic_prefix)
    return {
        name.removeprefix(settings.topic_prefix): [
            message_in(record) for record in await read_topic(settings, name)
        ]
        for name in (topics.changes, topics.created, topics.delivered, topics.location)
    }


def message_in(record: Any) -> PublishedMessage:  # noqa: ANN401  # as above
    """Return the decoded record of a derived topic."""
    message = from_json(record.value)
    digest = digest_of(record.key, record.value)
    data = message["data"]
    statuses = data["previous_status"], data["current_status"]
    return PublishedMessage(message["id"], message["subject"], data["version"], digest, statuses)
