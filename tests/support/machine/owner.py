"""A process that owns the partition, or believes so: the real worker and handler on faulty ports."""

import asyncio
from collections.abc import Callable

from messaging.consumer.partition.partition_worker import PartitionWorker
from messaging.consumer.partition.slots import Slots
from messaging.consumer.worker.worker_states import State
from processor.use_cases.shipment_partition import ShipmentPartition
from tests.support.builders import log_partition
from tests.support.machine.faulty_ports import ProcessFaults
from tests.support.machine.world import PARTITION, World
from tests.support.records import TOPIC

_TIMEOUT_S = 60.0


class Owner:
    """An owner that reads from `position`, once it has `taken_over`."""

    def __init__(self, name: str, world: World, position: int, *, cache_size: int) -> None:
        self.faults = ProcessFaults()
        self.position = position
        self._world = world
        partition = ShipmentPartition(
            log_partition(TOPIC, 0, partitions=1), world.ports(self.faults), owner=name, cache_size=cache_size
        )
        self._worker = PartitionWorker(
            PARTITION,
            partition,
            max_batch=1000,
            slots=Slots(1, large_batch=1),
            alone=asyncio.Lock(),
        )
        self._task = asyncio.create_task(self._worker.run(self))

    async def end_offset(self) -> int:
        """See `LogPosition.end_offset`."""
        return await self._world.end_offset()

    async def next_offset(self) -> int:
        """See `LogPosition.next_offset`."""
        return self.position

    def seek(self, offset: int) -> None:
        """See `LogPosition.seek`."""
        self.position = offset

    @property
    def is_alive(self) -> bool:
        """True while it runs."""
        return not self._task.done()

    @property
    def done(self) -> int:
        """The offset that it may commit to Kafka."""
        return self._worker.done or 0

    @property
    def is_behind(self) -> bool:
        """True if records are left to read."""
        return self.position < len(self._world.log)

    async def taken_over(self) -> None:
        """Return when it owns the partition, or has ended."""
        await self._until(lambda: self._worker.state not in (State.OPENING, State.RETRYING))

    async def deliver(self, count: int) -> None:
        """Pass it the next batch, and return when it is done with it, or has ended."""
        batch = self._world.log[self.position : self.position + count]
        self.position += len(batch)
        self._worker.put(batch)
        await self._until(lambda: not self._worker.is_busy)

    async def release(self) -> None:
        """Let it finish its batch, as at a rebalance."""
        await self._worker.drain()
        await self.kill()

    async def kill(self) -> None:
        """End it at once."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(_TIMEOUT_S):
            while self.is_alive and not condition():  # noqa: ASYNC110  # a worker has no event for this
                await asyncio.sleep(0)
