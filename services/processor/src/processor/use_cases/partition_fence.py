"""The fence of a partition as its owner holds it: each of the owner's writes is under it (ADR 0002)."""

from collections.abc import Awaitable, Sequence

from domain.errors import CommitUnknown, Fenced, TransactionAborted, TransientError
from domain.ports.core import EndOffset, Fence, IsAnother, ShipmentStore
from domain.processing.halts import PartitionCheckpoint
from processor.use_cases.shipment_cache import ShipmentCache


class PartitionFence:
    """The fence of a partition: taken over, advanced by transactions, read again when it is in doubt.

    Cached shipments are valid under the fence that they were read under, and are cleared with it.

    Attributes:
        held: as the owner knows it; pass it to the store with each write.
    """

    def __init__(self, name: str, store: ShipmentStore, cache: ShipmentCache, *, owner: str) -> None:
        self.held = Fence(name, 0, 0)
        self._store = store
        self._cache = cache
        self._owner = owner
        self._in_doubt = False

    @property
    def name(self) -> str:
        """The partition, `topic/number`."""
        return self.held.partition

    @property
    def next_offset(self) -> int:
        """One above the highest offset that is applied."""
        return self.held.next_offset

    async def take_over(
        self, end_offset: EndOffset, is_another: IsAnother | None = None
    ) -> PartitionCheckpoint:
        """Raise the epoch of the fence; for the arguments see `PartitionHandler.open`."""
        self._cache.clear()
        self.held = await self._store.acquire(
            self.name, owner=self._owner, end_offset=end_offset, is_another=is_another
        )
        self._in_doubt = False
        return self.held.checkpoint

    async def advance(self, written: Awaitable[Fence]) -> None:
        """Await a write that moves the fence, and hold the fence that it returns.

        Raises:
            CommitUnknown: the fence has moved meanwhile, by an earlier transaction of this owner.
            Fenced: another owner has the partition.
            TransientError: the write failed; its outcome may be unknown.
        """
        try:
            self.hold(await written)
        except Fenced as fenced:
            # By another owner, or by a transaction of our own with an unknown outcome: the fence decides.
            await self._refresh()
            raise CommitUnknown(str(fenced)) from fenced
        except TransientError:
            self.doubt()
            raise

    def hold(self, moved: Fence) -> None:
        """Hold the fence that a write has returned."""
        self.held = moved

    def doubt(self) -> None:
        """Read the fence again before the next batch: the outcome of a transaction is unknown."""
        self._in_doubt = True

    async def refresh_if_in_doubt(self) -> None:
        """Read the fence again if the outcome of the last transaction is unknown.

        Raises:
            Fenced: another owner has the partition, or the store was restored.
        """
        if self._in_doubt:
            await self._refresh()

    async def _refresh(self) -> None:
        fence = await self._store.refresh(self.held)
        if fence.next_offset < self.held.next_offset:
            raise Fenced(f"the fence of {self.name} has gone back: MongoDB was restored")
        self.held = fence
        self._cache.clear()
        self._in_doubt = False


async def advance_together(fences: Sequence[PartitionFence], written: Awaitable[Sequence[Fence]]) -> None:
    """Await one write that moves several fences, and hold those that it returns.

    Raises:
        Fenced: one of several fences does not hold; nothing is written.
        TransactionAborted: one of several may be the reason; nothing is written.
        Exception: else as `PartitionFence.advance`.
    """
    if len(fences) == 1:
        await fences[0].advance(_only(written))
        return
    try:
        moved = await written
    except TransactionAborted:
        raise
    except TransientError:
        for fence in fences:
            fence.doubt()
        raise
    for fence, held in zip(fences, moved, strict=True):
        fence.hold(held)


async def _only(written: Awaitable[Sequence[Fence]]) -> Fence:
    [fence] = await written
    return fence
