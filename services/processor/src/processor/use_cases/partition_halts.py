"""State of a partition beside its records, for the next owner: halts and attempts (ADR 0009), its end."""

from domain.ports.core import Clock
from domain.ports.partitions import PartitionStateStore
from domain.processing.halts import Attempt, Halt, Start
from processor.use_cases.partition_fence import PartitionFence


class PartitionHalts:
    """`PartitionState` of a shipment partition, and whether it has ended."""

    def __init__(self, store: PartitionStateStore, fence: PartitionFence, clock: Clock) -> None:
        self._store = store
        self._fence = fence
        self._clock = clock

    async def stop(self, problem: str, *, is_gap: bool, skip_to: int | None = None) -> Halt:
        """See `PartitionState.stop`."""
        halt = Halt(problem, self._clock.now(), is_gap, skip_to)
        await self._store.note_halt(self._fence.held, halt)
        return halt

    async def resume_request(self, halt: Halt) -> Start | None:
        """See `PartitionState.resume_request`."""
        resumption = await self._store.resumption(self._fence.name, halt)
        return None if resumption is None else resumption.start

    async def clear_halt(self, *, lost_below: int | None = None) -> None:
        """See `PartitionState.clear_halt`."""
        if lost_below is not None:
            await self._fence.advance(self._store.give_up(self._fence.held, lost_below))
        await self._store.note_halt(self._fence.held, None)

    async def note_end(self) -> None:
        """See `PartitionStateStore.note_end`."""
        await self._store.note_end(self._fence.held)

    async def attempt(self, attempt: Attempt | None) -> None:
        """See `PartitionState.attempt`."""
        await self._store.note_attempt(self._fence.held, attempt)
