"""Records as read from the log, and a producer that retains what it is given."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.processing.dead_letter import RecordPosition
from domain.shipments.commands import Command
from messaging import codec
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.settings import KafkaSettings
from tests.support.fakes import Faults

TOPIC = "shipments.events"


@dataclass(frozen=True, slots=True)
class LogRecord:
    """`messaging.dead_letters.records.Record` without Kafka."""

    offset: int
    value: bytes | None = b""
    key: bytes | None = b"key"
    headers: Sequence[tuple[str, bytes]] = field(default=())
    topic: str = TOPIC
    partition: int = 0
    timestamp: int = 1_772_366_400_000


def record_of(command: Command, offset: int, *, reply_to: str | None = None) -> LogRecord:
    """Return the record that carries `command`."""
    headers = [codec.CONTENT_TYPE_HEADER]
    if reply_to is not None:
        headers.append((codec.REPLY_TO, reply_to.encode()))
    return LogRecord(offset, codec.encode(command), command.tracking_number.encode(), headers)


def records_of(*commands: Command, first_offset: int = 0, reply_to: str | None = None) -> list[LogRecord]:
    """Return the records that carry `commands`, one after the other."""
    return [
        record_of(command, offset, reply_to=reply_to) for offset, command in enumerate(commands, first_offset)
    ]


class RecordingProducer(ResilientProducer, Faults):
    """Producer that retains what is appended, by topic; `fail_next("append", NotPublished(…))` plans one."""

    def __init__(self) -> None:
        ResilientProducer.__init__(self, KafkaSettings())
        Faults.__init__(self)
        self.topics: dict[str, list[OutgoingRecord]] = {}

    async def append(self, topic: str, records: Sequence[OutgoingRecord]) -> None:
        """Keep the records."""
        await self.append_all({topic: records})

    async def append_all(self, records: dict[str, Sequence[OutgoingRecord]]) -> None:
        """Keep the records."""
        with self.around("append"):
            for topic, some in records.items():
                self.topics.setdefault(topic, []).extend(some)

    async def append_one(self, topic: str, record: OutgoingRecord) -> RecordPosition:
        """Keep the record, in partition 0."""
        with self.around("append"):
            kept = self.topics.setdefault(topic, [])
            kept.append(record)
            return RecordPosition(0, len(kept) - 1)
