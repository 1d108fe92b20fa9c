"""Order of a shipment's records where the log goes on in another topic (ADR 0037)."""

from domain.errors import NotItsTurn
from domain.ports.partitions import PartitionStateStore
from messaging.log.generations import LogPartition


class LogOrder:
    """Keeps the records of a partition back until those before them are applied and published.

    What was looked up once holds: a partition that has ended takes no records any more.
    """

    def __init__(self, partition: LogPartition, store: PartitionStateStore) -> None:
        self._name = partition.name
        self._awaited = partition.predecessors
        self._store = store

    async def require_turn(self) -> None:
        """Return if the partitions of the generation before, in which the same shipments were, have ended.

        Raises:
            NotItsTurn: one has not.
        """
        if self._awaited:
            self._awaited -= await self._store.ended(self._awaited)
        if self._awaited:
            raise NotItsTurn(f"{self._name} waits for the end of {', '.join(sorted(self._awaited))}")
