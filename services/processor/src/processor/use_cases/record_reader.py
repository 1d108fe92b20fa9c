"""Reading of a partition's records as commands."""

from collections.abc import Sequence
from datetime import timedelta

from domain.errors import PoisonRecord
from domain.processing.batch import ConsumedCommand
from messaging import codec
from messaging.dead_letters.records import Record
from messaging.log.control_records import is_control, is_end_marker
from messaging.log.generations import Generation
from messaging.placement import require_place
from messaging.unpacking import UnreadableRecord
from processor.use_cases.partition_fence import PartitionFence


class RecordReader:
    """Reads records; those below the fence's offset are redelivered.

    Attributes:
        end: offset of the partition's end marker, or a later one; None: it is not known to have one.
    """

    def __init__(
        self, fence: PartitionFence, generation: Generation, *, hold: timedelta | None = None
    ) -> None:
        """Create a reader.

        Args:
            fence: of the partition.
            generation: of the log, that the partition belongs to.
            hold: how long early events are held, None for not at all.
        """
        self.end: int | None = None
        self._fence = fence
        self._hold = hold
        self._generation = generation

    def position_of(self, record: Record) -> int:
        """Return the offset of a record in the whole log: comparable with those of other generations."""
        return self._generation.base + record.offset

    def read_batch(self, records: Sequence[Record]) -> list[ConsumedCommand]:
        """Read records; skip control records, and redelivered ones that nobody can read: dead letters.

        The fence moves past such a record when its dead letter is written, or an operator skips it.

        Raises:
            PoisonRecord: a record that the fence has not passed cannot be read.
        """
        applied_below = self._fence.next_offset
        commands: list[ConsumedCommand] = []
        for record in records:
            if is_control(record):
                self._note_end(record)
                continue
            try:
                commands.append(self._read(record, applied_below))
            except PoisonRecord:
                if record.offset >= applied_below:
                    raise
        return commands

    def read_or_none(self, record: Record) -> ConsumedCommand | None:
        """Read one record; None if it cannot be read."""
        try:
            return self._read(record, self._fence.next_offset)
        except PoisonRecord:
            return None

    def _note_end(self, record: Record) -> None:
        if is_end_marker(record) and (self.end is None or record.offset < self.end):
            self.end = record.offset

    def _read(self, record: Record, applied_below: int) -> ConsumedCommand:
        if isinstance(record, UnreadableRecord):
            raise PoisonRecord(record.fault)
        if self.end is not None and record.offset > max(self.end, applied_below - 1):
            # Its shipment's events are applied from the next topic by now.
            raise PoisonRecord("the topic had been closed before: replay it, for the log goes on in another")
        decoded = codec.decode(record.value)
        require_place(record, decoded.command.tracking_number, self._generation.partitions)
        return ConsumedCommand(
            command=decoded.command,
            offset=self.position_of(record),
            fingerprint=decoded.fingerprint,
            reply_to=codec.header(record.headers, codec.REPLY_TO),
            traceparent=codec.header(record.headers, codec.TRACEPARENT),
            redelivered=record.offset < applied_below,
            hold=self._hold,
        )
