"""The topic as the source of a rebuild: read once, spilled, and given shipment by shipment.

In memory are the records of one bucket (about 25,000, some 3 KB each once they are decoded; buckets grow
where the topic has more than 25 million) and the dead letters' errors, some 300 bytes each.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from domain.errors import PoisonRecord
from domain.processing.batch import ConsumedCommand
from domain.processing.halts import QUARANTINED
from domain.shipments.event_identity import creation_event_id
from domain.shipments.tracking_number import TrackingNumber
from messaging import codec
from messaging.dead_letters.records import PREFIX, UNREAD, UNREADABLE, Record, instant_at
from messaging.placement import require_key
from messaging.producer.idempotent_producer import partition_of
from messaging.settings import KafkaSettings
from messaging.topic_reader import LogReader, reading
from messaging.topics import Topics
from messaging.unpacking import UnreadableBatch, UnreadableRecord
from storage.mongo.database import Database
from storage.mongo.documents import Document
from storage.mongo.maintenance.snapshots import Snapshot, Stored, snapshot_of
from toolbox.rebuild.log_fold import Entry
from toolbox.rebuild.spill import Kept, Spill

RECORDS_PER_BUCKET: Final = 25_000

Tell = Callable[[str, str], None]
"""Takes what is wrong: with which shipment or record, and what."""
Letter = tuple[int, int, int]
"""Partition, offset and time of the record that died."""


@dataclass(frozen=True, slots=True)
class DeadLetterRecords:
    """What the dead letters say: by partition, offset and time of the record that died.

    The time tells a record from the one that had its place before the topic was made anew.

    Attributes:
        errors: as the audit log words them; None for a record that nobody reads, for it ends the process: the
            audit log does not know it.
        complete: none has been removed.
        unreadable: those in `errors` whose records the processor could not read, or found in another place
            than their key's: the audit log does not know them either.
    """

    errors: Mapping[Letter, str | None]
    complete: bool
    unreadable: Collection[Letter] = frozenset()


class Log:
    """What stands in the topic below the fences of a snapshot.

    Attributes:
        begins: the first offset that each partition still has.
    """

    def __init__(
        self, directory: Path, begins: Mapping[int, int], ends: Mapping[int, int], *, partitions: int
    ) -> None:
        """Begin empty.

        Args:
            directory: empty.
            begins: see above.
            ends: where each partition ends now.
            partitions: that keys are spread over; the topic may have more.
        """
        self.begins = begins
        self._partitions = partitions
        size = sum(end - begins[partition] for partition, end in ends.items())
        self._spill = Spill(directory, buckets=size // RECORDS_PER_BUCKET + 1)
        self._first_times: dict[int, datetime] = {}
        self._faults: dict[tuple[int, int], str] = {}
        self._letters = DeadLetterRecords({}, complete=True)
        self._fences: Mapping[int, int] = {}

    def add(self, record: Record) -> None:
        """Take the next record in.

        Not a batch that cannot be taken apart: the processor stands still there until it is told to skip it.
        """
        if isinstance(record, UnreadableBatch):
            return
        if isinstance(record, UnreadableRecord):
            self._faults[record.partition, record.offset] = record.fault
        if record.partition not in self._first_times:
            self._first_times[record.partition] = instant_at(record.timestamp)
        self._spill.add(record)

    def settle(self, fences: Mapping[int, int], letters: DeadLetterRecords) -> None:
        """Say how far the log has been applied, and which of its records are dead."""
        self._fences, self._letters = fences, letters

    def is_gone(self, number: str, stored: Stored) -> bool:
        """Say whether the log has lost the record that created a shipment, so that it cannot be retold."""
        identity = creation_event_id(TrackingNumber(number))
        for event in stored.trail:
            if event["_id"] == identity:
                return self.has_lost(event)
        document = stored.current_document or stored.document
        if document is None:
            return False
        partition = partition_of(number.encode(), self._partitions)
        lines = document.get("status_history") or [{}]
        return self._is_before(partition, lines[0].get("recorded_at"))

    def has_lost(self, event: Document) -> bool:
        """Say whether the log does not reach back to an event: retention took it, or the topic is another."""
        partition, offset = event.get("partition"), event.get("offset")
        if not isinstance(partition, int) or not isinstance(offset, int):
            return False
        return offset < self.begins.get(partition, 0) or self._is_before(partition, event.get("recorded_at"))

    def stories(self, tell: Tell) -> Iterator[tuple[str, list[Entry]]]:
        """Give the records of each shipment, by tracking number."""
        for bucket in range(self._spill.buckets):
            found: dict[str, list[Entry]] = {}
            for record in self._spill.records(bucket):
                entry = self._entry(record, tell)
                if entry is not None:
                    found.setdefault(entry.delivery.command.tracking_number, []).append(entry)
            yield from sorted(found.items())

    def death_of(self, event: Document) -> str | None:
        """Return what the audit log says of a dead event, where its letter may be gone and cannot say it."""
        return None if self._letters.complete or event.get("outcome") != "dead" else event.get("reason")

    def _entry(self, record: Kept, tell: Tell) -> Entry | None:
        settled = record.offset < self._fences.get(record.partition, 0)
        letter = (record.partition, record.offset, record.timestamp)
        death = self._letters.errors.get(letter)
        if death is None and (not settled or letter in self._letters.errors):
            return None
        place = f"record {record.partition}/{record.offset}"
        try:
            decoded = self._decoded(record)
        except PoisonRecord as error:
            if death is None and self._letters.complete:
                tell(place, f"is no dead letter, should be one: {error}")
            return None
        delivery = ConsumedCommand(
            command=decoded.command, offset=record.offset, fingerprint=decoded.fingerprint
        )
        is_published = letter not in self._letters.unreadable
        return Entry(delivery, record.partition, instant_at(record.timestamp), death, settled, is_published)

    def _decoded(self, record: Kept) -> codec.Decoded:
        """Read a record as the processor does, but for its partition.

        Whether that was its key's, its dead letter says: `partitions` may have been another number then.
        """
        fault = self._faults.get((record.partition, record.offset))
        if fault is not None:
            raise PoisonRecord(fault)
        decoded = codec.decode(record.value)
        require_key(record.key, decoded.command.tracking_number)
        return decoded

    def _is_before(self, partition: int, instant: object) -> bool:
        first = self._first_times.get(partition)
        return first is None or (isinstance(instant, datetime) and instant < first)


@asynccontextmanager
async def opened_log(
    kafka: KafkaSettings, database: Database, *, count: Callable[[int], None]
) -> AsyncIterator[tuple[Snapshot, Log]]:
    """Read the topic, take a snapshot, and read on to where its fences stand.

    In this order, for reading takes longer than MongoDB keeps an instant. `count` is told how many records
    have been read, as they come.

    Raises:
        StoreUnavailable: Kafka or MongoDB did not answer.
    """
    topic = Topics(kafka.topic_prefix).events
    with TemporaryDirectory(prefix="waybill-rebuild-") as directory:
        async with reading(kafka, topic) as reader:
            ends = await reader.ends()
            log = Log(Path(directory), reader.begins, ends, partitions=kafka.partitions)
            await _fill(log, reader, ends, count)
            async with snapshot_of(database) as snapshot:
                fences = _fences_of(snapshot, topic, await reader.ends())
                await _fill(log, reader, fences, count)
                log.settle(fences, await _letters(kafka))
                yield snapshot, log


async def _fill(log: Log, reader: LogReader, until: Mapping[int, int], count: Callable[[int], None]) -> None:
    async for records in reader.read(until):
        count(len(records))
        for record in records:
            log.add(record)


def _fences_of(snapshot: Snapshot, topic: str, ends: Mapping[int, int]) -> dict[int, int]:
    """Return how far each partition has been applied; a fence beyond the end speaks of another topic."""
    fences = {partition: snapshot.fences.get(f"{topic}/{partition}", 0) for partition in ends}
    return {partition: fence if fence <= ends[partition] else 0 for partition, fence in fences.items()}


async def _letters(kafka: KafkaSettings) -> DeadLetterRecords:
    topics = Topics(kafka.topic_prefix)
    errors: dict[Letter, str | None] = {}
    unreadable: set[Letter] = set()
    async with reading(kafka, topics.dead_letters) as reader:
        async for records in reader.read(await reader.ends()):
            for record in records:
                told = _told_by(record)
                if told.get(f"{PREFIX}topic") == topics.events:
                    partition, offset, timestamp = (
                        int(told[f"{PREFIX}{name}"]) for name in ("partition", "offset", "timestamp")
                    )
                    letter = (partition, offset, timestamp)
                    errors[letter] = _death_in(told)
                    if told[f"{PREFIX}reason"] == UNREADABLE:
                        unreadable.add(letter)
        return DeadLetterRecords(errors, complete=not any(reader.begins.values()), unreadable=unreadable)


def _told_by(letter: Record) -> dict[str, str]:
    """Return the headers that say where a dead letter comes from; the record may have had some like them."""
    return {
        name: (value or b"").decode(errors="replace")
        for name, value in letter.headers
        if name.startswith(PREFIX)
    }


def _death_in(told: Mapping[str, str]) -> str | None:
    if f"{PREFIX}{UNREAD}" in told:
        return None
    return QUARANTINED if told[f"{PREFIX}reason"] == QUARANTINED else told[f"{PREFIX}error"]
