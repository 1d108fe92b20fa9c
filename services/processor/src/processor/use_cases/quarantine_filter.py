"""Quarantined shipments in a partition: their records become dead letters and are not applied."""

from collections.abc import Sequence

from domain.ports.core import ShipmentStore
from domain.processing.halts import QUARANTINED
from messaging.dead_letters.records import DeadLetter, Record
from processor.use_cases.dead_lettering import DeadLetterWriter
from processor.use_cases.partition_fence import PartitionFence
from processor.use_cases.quarantine import Quarantine
from processor.use_cases.record_reader import RecordReader


class QuarantineFilter:
    """Filter that dead-letters the records of quarantined shipments and passes the others on."""

    def __init__(
        self,
        quarantine: Quarantine,
        store: ShipmentStore,
        fence: PartitionFence,
        reader: RecordReader,
        dead_letters: DeadLetterWriter,
    ) -> None:
        self._quarantine = quarantine
        self._store = store
        self._fence = fence
        self._reader = reader
        self._dead_letters = dead_letters
        self._dead_lettered: set[int] = set()

    async def open(self) -> None:
        """Reload the quarantine: shipments that the last owner quarantined must not be applied."""
        self._dead_lettered.clear()
        await self._quarantine.refresh()

    async def others_of(self, records: Sequence[Record]) -> Sequence[Record]:
        """Dead-letter the records of quarantined shipments; return the others.

        Called again with the same records, or a part of them, it dead-letters none twice.
        """
        reasons = self._quarantine.reasons
        if not reasons:
            return records
        if self._dead_lettered:
            self._dead_lettered = {each for each in self._dead_lettered if each >= records[0].offset}
        others: list[Record] = []
        for record in records:
            reason = reasons.get(record.key or b"")
            if reason is None or await self._was_counted(record):
                others.append(record)
            elif record.offset not in self._dead_lettered:
                dead_letter = DeadLetter(record, QUARANTINED, reason, 0)
                await self._dead_letters.write(dead_letter, next_offset=self._fence.next_offset)
                self._dead_lettered.add(record.offset)
        return others

    async def _was_counted(self, record: Record) -> bool:
        """Return True if a redelivered record is recorded: then only the publication is repeated."""
        if (
            record.offset >= self._fence.next_offset
            or (consumed := self._reader.read_or_none(record)) is None
        ):
            return False
        event_id = consumed.command.event_id
        event = (await self._store.find_events([event_id]))[event_id]
        return event is not None and self._reader.position_of(record) <= event.last_offset
