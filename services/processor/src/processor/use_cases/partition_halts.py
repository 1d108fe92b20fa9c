"""Halts of a partition, and attempts at its records, recorded for the next owner (ADR 0009)."""

from domain.ports.core import Clock
from domain.ports.partitions import PartitionStateStore
from domain.processing.halts import Attempt, Halt, Start
from processor.use_cases.partition_ownership import PartitionOwnership


class PartitionHalts:
    """`PartitionState` of a shipment partition."""

    def __init__(self, store: PartitionStateStore, ownership: PartitionOwnership, clock: Clock) -> None:
        self._store = store
        self._ownership = ownership
        self._clock = clock

    async def stop(self, problem: str, *, is_gap: bool, skip_to: int | None = None) -> Halt:
        """See `PartitionState.stop`."""
        halt = Halt(problem, self._clock.now(), is_gap, skip_to)
        await self._store.note_halt(self._ownership.fence, halt)
        return halt

    async def resume_request(self, halt: Halt) -> Start | None:
        """See `PartitionState.resume_request`."""
        resumption = await self._store.resumption(self._ownership.name, halt)
        return None if resumption is None else resumption.start

    async def clear_halt(self, *, lost_below: int | None = None) -> None:
        """See `PartitionState.clear_halt`."""
        if lost_below is not None:
            self._ownership.fence = await self._store.give_up(self._ownership.fence, lost_below)
        await self._store.note_halt(self._ownership.fence, None)

    async def attempt(self, attempt: Attempt | None) -> None:
        """See `PartitionState.attempt`."""
        await self._store.note_attempt(self._ownership.fence, attempt)
