"""Reading of a partition's records as commands."""

from collections.abc import Sequence
from datetime import timedelta

from domain.errors import PoisonRecord
from domain.processing.batch import ConsumedCommand
from messaging import codec
from messaging.dead_letters.records import Record
from messaging.placement import require_place
from messaging.unpacking import UnreadableRecord
from processor.use_cases.partition_fence import PartitionFence


class RecordReader:
    """Reads records; those below the fence's offset are redelivered."""

    def __init__(self, fence: PartitionFence, *, partitions: int, hold: timedelta | None = None) -> None:
        """Create a reader.

        Args:
            fence: of the partition.
            partitions: number that keys are distributed over.
            hold: how long early events are held, None for not at all.
        """
        self._fence = fence
        self._hold = hold
        self._partitions = partitions

    def read_batch(self, records: Sequence[Record]) -> list[ConsumedCommand]:
        """Read records; skip redelivered ones that cannot be read, for they are dead-lettered already.

        The fence moves past such a record when its dead letter is written, or an operator skips it.

        Raises:
            PoisonRecord: a record that the fence has not passed cannot be read.
        """
        applied_below = self._fence.next_offset
        commands: list[ConsumedCommand] = []
        for record in records:
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

    def _read(self, record: Record, applied_below: int) -> ConsumedCommand:
        if isinstance(record, UnreadableRecord):
            raise PoisonRecord(record.fault)
        decoded = codec.decode(record.value)
        require_place(record, decoded.command.tracking_number, self._partitions)
        return ConsumedCommand(
            command=decoded.command,
            offset=record.offset,
            fingerprint=decoded.fingerprint,
            reply_to=codec.header(record.headers, codec.REPLY_TO),
            traceparent=codec.header(record.headers, codec.TRACEPARENT),
            redelivered=record.offset < applied_below,
            hold=self._hold,
        )
