"""Log as the source of a rebuild: read once, spilled to disk, and read back shipment by shipment.

In memory are the records of one bucket (about 25,000, some 3 KB each once they are decoded; buckets grow
where the log has more than 25 million) and the dead letters' errors, some 300 bytes each.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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
from messaging.log.control_records import is_control
from messaging.log.generations import Generation, generation_at, number_at, place_at
from messaging.log.looking import generations_of
from messaging.placement import require_key
from messaging.settings import KafkaSettings
from messaging.topic_reader import LogReader, reading
from messaging.topics import Topics
from messaging.unpacking import UnreadableBatch, UnreadableRecord
from storage.mongo.database import Database
from storage.mongo.documents import Document
from storage.mongo.maintenance.snapshots import Snapshot, Stored, snapshot_of
from toolbox.rebuild.log_fold import Entry
from toolbox.rebuild.spill import Spill, SpilledRecord

RECORDS_PER_BUCKET: Final = 25_000

ReportFault = Callable[[str, str], None]
"""Receives a fault: the shipment or record, and a description."""
RecordKey = tuple[int, int, int]
"""Place, position (see `Generation`) and time of a dead-lettered record."""


@dataclass(frozen=True, slots=True)
class DeadLetterRecords:
    """Dead letters by place, position and time of the original record.

    The time distinguishes a record from one at the same offset of an earlier topic of this name.

    Attributes:
        errors: reasons in the audit log; None for a record that crashes its reader: the audit log does not
            have it.
        complete: True if the topic still has all dead letters.
        unreadable: keys in `errors` of records that the processor could not read, or found in another
            partition than their key's: the audit log does not have them either.
    """

    errors: Mapping[RecordKey, str | None]
    complete: bool
    unreadable: Collection[RecordKey] = frozenset()


class Log:
    """Records of the log below the fences of a snapshot.

    Partitions are known by their places, records by their positions; see `Generation`.

    Attributes:
        begins: first available position of each partition.
    """

    def __init__(
        self,
        directory: Path,
        generations: Sequence[Generation],
        begins: Mapping[int, int],
        ends: Mapping[int, int],
    ) -> None:
        """Create an empty log.

        Args:
            directory: empty, for the spilled records.
            generations: of the log; a topic may have more partitions than keys are distributed over.
            begins: see above.
            ends: end position of each partition.
        """
        self.begins = begins
        self._generations = generations
        size = sum(end - begins[place] for place, end in ends.items())
        self._spill = Spill(directory, buckets=size // RECORDS_PER_BUCKET + 1)
        self._first_times: dict[int, datetime] = {}
        self._faults: dict[tuple[int, int], str] = {}
        self._dead_letters = DeadLetterRecords({}, complete=True)
        self._fences: Mapping[int, int] = {}

    def add(self, record: Record, generation: Generation) -> None:
        """Add the next record of a generation.

        Unreadable batches are skipped: the processor halts there until an operator skips them.
        """
        if isinstance(record, UnreadableBatch):
            return
        place, position = generation.place_of(record.partition), generation.base + record.offset
        if isinstance(record, UnreadableRecord):
            self._faults[place, position] = record.fault
        if place not in self._first_times:
            self._first_times[place] = instant_at(record.timestamp)
        if not is_control(record):
            self._spill.add(SpilledRecord(place, position, record.timestamp, record.key, record.value))

    def settle(self, fences: Mapping[int, int], dead_letters: DeadLetterRecords) -> None:
        """Set how far the log has been applied, and which of its records are dead-lettered."""
        self._fences, self._dead_letters = fences, dead_letters

    def is_gone(self, number: str, stored: Stored) -> bool:
        """Return True if the log has lost the creation of a shipment, so that it cannot be folded."""
        identity = creation_event_id(TrackingNumber(number))
        for event in stored.trail:
            if event["_id"] == identity:
                return self.has_lost(event)
        document = stored.current_document or stored.document
        if document is None:
            return False
        lines = document.get("status_history") or [{}]
        key = number.encode()
        return all(
            self._is_before(each.place_of(each.partition_of(key)), lines[0].get("recorded_at"))
            for each in self._generations
        )

    def has_lost(self, event: Document) -> bool:
        """Return True if the log does not reach back to an event: it expired, or the topic is a new one."""
        partition, offset = event.get("partition"), event.get("offset")
        if not isinstance(partition, int) or not isinstance(offset, int):
            return False
        place = place_at(partition, offset)
        return offset < self.begins.get(place, 0) or self._is_before(place, event.get("recorded_at"))

    def entries_by_shipment(self, report_fault: ReportFault) -> Iterator[tuple[str, list[Entry]]]:
        """Yield the entries of each shipment, by tracking number."""
        for bucket in range(self._spill.buckets):
            found: dict[str, list[Entry]] = {}
            for record in self._spill.records(bucket):
                entry = self._entry(record, report_fault)
                if entry is not None:
                    found.setdefault(entry.consumed.command.tracking_number, []).append(entry)
            for number, entries in sorted(found.items()):
                # A topic may have been read on while the next one was read already.
                yield number, sorted(entries, key=lambda entry: generation_at(entry.consumed.offset))

    def dead_reason_of(self, event: Document) -> str | None:
        """Return the reason of a dead event in the audit log, if its dead letter may have expired."""
        return None if self._dead_letters.complete or event.get("outcome") != "dead" else event.get("reason")

    def _entry(self, record: SpilledRecord, report_fault: ReportFault) -> Entry | None:
        settled = record.offset < self._fences.get(record.partition, 0)
        key = (record.partition, record.offset, record.timestamp)
        dead_reason = self._dead_letters.errors.get(key)
        if dead_reason is None and (not settled or key in self._dead_letters.errors):
            return None
        label = f"record {self._label(record)}"
        try:
            decoded = self._decoded(record)
        except PoisonRecord as error:
            if dead_reason is None and self._dead_letters.complete:
                report_fault(label, f"is no dead letter, should be one: {error}")
            return None
        consumed = ConsumedCommand(
            command=decoded.command, offset=record.offset, fingerprint=decoded.fingerprint
        )
        is_published = key not in self._dead_letters.unreadable
        return Entry(
            consumed,
            number_at(record.partition),
            instant_at(record.timestamp),
            dead_reason,
            settled,
            is_published,
        )

    def _label(self, record: SpilledRecord) -> str:
        """Return the partition and the offset of a record, as the topic has them."""
        number = number_at(record.partition)
        [generation] = [each for each in self._generations if each.place_of(number) == record.partition]
        return f"{generation.label_of(number)}/{record.offset - generation.base}"

    def _decoded(self, record: SpilledRecord) -> codec.Decoded:
        """Decode a record as the processor does, without the check of its partition.

        The number of partitions may have been another one then: a dead letter shows that the check failed.
        """
        fault = self._faults.get((record.partition, record.offset))
        if fault is not None:
            raise PoisonRecord(fault)
        decoded = codec.decode(record.value)
        require_key(record.key, decoded.command.tracking_number)
        return decoded

    def _is_before(self, place: int, instant: object) -> bool:
        first = self._first_times.get(place)
        return first is None or (isinstance(instant, datetime) and instant < first)


@asynccontextmanager
async def opened_log(
    kafka: KafkaSettings, database: Database, *, count: Callable[[int], None]
) -> AsyncIterator[tuple[Snapshot, Log]]:
    """Read the log, take a snapshot, and read on to the fences of the snapshot.

    In this order, for reading takes longer than MongoDB's snapshot history. `count` is called with the number
    of records of each batch that was read.

    Raises:
        StoreUnavailable: Kafka or MongoDB did not respond.
    """
    generations = await generations_of(kafka)
    with TemporaryDirectory(prefix="waybill-rebuild-") as directory:
        async with _readers(kafka, generations) as readers:
            ends = {each: await reader.ends() for each, reader in readers.items()}
            begins = _in_log({each: reader.begins for each, reader in readers.items()})
            log = Log(Path(directory), generations, begins, _in_log(ends))
            await _fill(log, readers, ends, count)
            async with snapshot_of(database) as snapshot:
                fences = {
                    each: _fences_of(snapshot, each, await reader.ends()) for each, reader in readers.items()
                }
                await _fill(log, readers, fences, count)
                log.settle(_in_log(fences), await _read_dead_letters(kafka, generations))
                yield snapshot, log


@asynccontextmanager
async def _readers(
    kafka: KafkaSettings, generations: Sequence[Generation]
) -> AsyncIterator[dict[Generation, LogReader]]:
    async with AsyncExitStack() as stack:
        yield {each: await stack.enter_async_context(reading(kafka, each.topic)) for each in generations}


_Offsets = Mapping[Generation, Mapping[int, int]]
"""An offset for each partition of each generation."""


def _in_log(offsets: _Offsets) -> dict[int, int]:
    """Return positions by place."""
    return {
        generation.place_of(number): generation.base + offset
        for generation, by_number in offsets.items()
        for number, offset in by_number.items()
    }


async def _fill(
    log: Log, readers: Mapping[Generation, LogReader], until: _Offsets, count: Callable[[int], None]
) -> None:
    for generation, reader in readers.items():
        async for records in reader.read(until[generation]):
            count(len(records))
            for record in records:
                log.add(record, generation)


def _fences_of(snapshot: Snapshot, generation: Generation, ends: Mapping[int, int]) -> dict[int, int]:
    """Return the applied offset of each partition; 0 if the fence, beyond the end, is of an earlier topic."""
    fences = {number: snapshot.fences.get(generation.name_of(number), 0) for number in ends}
    return {number: fence if fence <= ends[number] else 0 for number, fence in fences.items()}


async def _read_dead_letters(kafka: KafkaSettings, generations: Sequence[Generation]) -> DeadLetterRecords:
    by_topic = {each.topic: each for each in generations}
    topics = Topics(kafka.topic_prefix)
    errors: dict[RecordKey, str | None] = {}
    unreadable: set[RecordKey] = set()
    async with reading(kafka, topics.dead_letters) as reader:
        async for records in reader.read(await reader.ends()):
            for record in records:
                headers = _origin_headers(record)
                generation = by_topic.get(headers.get(f"{PREFIX}topic", ""))
                if generation is not None:
                    partition, offset, timestamp = (
                        int(headers[f"{PREFIX}{name}"]) for name in ("partition", "offset", "timestamp")
                    )
                    key = (generation.place_of(partition), generation.base + offset, timestamp)
                    errors[key] = _audit_reason(headers)
                    if headers[f"{PREFIX}reason"] == UNREADABLE:
                        unreadable.add(key)
        return DeadLetterRecords(errors, complete=not any(reader.begins.values()), unreadable=unreadable)


def _origin_headers(dead_letter: Record) -> dict[str, str]:
    """Return the headers with the origin of a dead letter; the record itself may have had similar ones."""
    return {
        name: (value or b"").decode(errors="replace")
        for name, value in dead_letter.headers
        if name.startswith(PREFIX)
    }


def _audit_reason(headers: Mapping[str, str]) -> str | None:
    if f"{PREFIX}{UNREAD}" in headers:
        return None
    return QUARANTINED if headers[f"{PREFIX}reason"] == QUARANTINED else headers[f"{PREFIX}error"]
