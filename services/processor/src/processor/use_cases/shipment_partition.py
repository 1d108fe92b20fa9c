"""Processing of one partition: apply its records to shipments exactly once (ADR 0002)."""

import asyncio
from collections.abc import Sequence

from domain.ports.core import EndOffset, IsAnother
from domain.processing.batch import LARGE_BATCH
from domain.processing.halts import Attempt, Halt, PartitionCheckpoint, Start
from messaging.dead_letters.records import DeadLetter, Record
from messaging.log.control_records import is_end_marker
from messaging.log.generations import LogPartition
from processor.use_cases.batch_applier import BatchApplier
from processor.use_cases.dead_lettering import DeadLetterWriter
from processor.use_cases.log_order import LogOrder
from processor.use_cases.partition_batch import PartitionBatch
from processor.use_cases.partition_fence import PartitionFence
from processor.use_cases.partition_halts import PartitionHalts
from processor.use_cases.ports import Ports
from processor.use_cases.quarantine_filter import QuarantineFilter
from processor.use_cases.record_reader import RecordReader
from processor.use_cases.shipment_cache import ShipmentCache


class ShipmentPartition:
    """`PartitionHandler` that applies commands to shipments; its parts share one `PartitionFence`."""

    def __init__(self, partition: LogPartition, ports: Ports, *, owner: str, cache_size: int) -> None:
        """Create the handler of a partition.

        Args:
            partition: of the log.
            ports: of the process.
            owner: name of the process, shown to operators.
            cache_size: number of cached shipments.
        """
        cache = ShipmentCache(cache_size)
        self._metrics = ports.metrics
        self._fence = PartitionFence(partition.name, ports.store, cache, owner=owner)
        self._cache = cache
        self._reader = reader = RecordReader(self._fence, partition.generation, hold=ports.hold)
        self._order = LogOrder(partition, ports.partition_state)
        self._applier = BatchApplier(ports)
        self._cycle = ports.cycle
        self._dead_letters = DeadLetterWriter(ports, self._fence, reader)
        self._quarantine = QuarantineFilter(
            ports.quarantine, ports.store, self._fence, reader, self._dead_letters
        )
        self._halts = PartitionHalts(ports.partition_state, self._fence, ports.clock)

    async def open(self, end_offset: EndOffset, is_another: IsAnother | None = None) -> PartitionCheckpoint:
        """See `PartitionHandler.open`."""
        self._dead_letters.forget()
        checkpoint = await self._fence.take_over(end_offset, is_another)
        self._reader.end = self._fence.next_offset - 1 if checkpoint.has_ended else None
        await self._quarantine.open()
        return checkpoint

    async def handle(self, records: Sequence[Record]) -> bool:
        """See `PartitionHandler.handle`."""
        with self._metrics.batch(len(records)):
            await self._order.require_turn()
            await self._fence.refresh_if_in_doubt()
            wanted = await self._quarantine.others_of(records)
            # Past quarantined records as well, now that the records before them are applied.
            next_offset = records[-1].offset + 1
            commands = self._reader.read_batch(wanted)
            await self._apply(PartitionBatch(self._fence, self._cache, commands, next_offset))
            await self._dead_letters.note_replays(wanted)
            if any(map(is_end_marker, records)):
                # Published, too: the next topic's events of a shipment are published after these.
                await self._halts.note_end()
        return bool(wanted)

    async def _apply(self, batch: PartitionBatch) -> None:
        """Apply a batch; on return all its effects are durable."""
        if len(batch.commands) < LARGE_BATCH:
            await self._cycle.run(batch, self._applier)
        else:
            await self._applier.write([batch])
            await asyncio.gather(self._applier.give_hints([batch]), self._applier.publish(batch))

    async def dead_letter(self, dead_letter: DeadLetter) -> None:
        """See `PartitionHandler.dead_letter`; the records before it are applied: the fence moves past it."""
        await self._fence.refresh_if_in_doubt()
        next_offset = max(dead_letter.record.offset + 1, self._fence.next_offset)
        await self._dead_letters.write(dead_letter, next_offset=next_offset)

    async def stop(self, problem: str, *, is_gap: bool, skip_to: int | None = None) -> Halt:
        """See `PartitionState.stop`."""
        return await self._halts.stop(problem, is_gap=is_gap, skip_to=skip_to)

    async def resume_request(self, halt: Halt) -> Start | None:
        """See `PartitionState.resume_request`."""
        return await self._halts.resume_request(halt)

    async def clear_halt(self, *, lost_below: int | None = None) -> None:
        """See `PartitionState.clear_halt`."""
        await self._halts.clear_halt(lost_below=lost_below)

    async def attempt(self, attempt: Attempt | None) -> None:
        """See `PartitionState.attempt`."""
        await self._halts.attempt(attempt)
