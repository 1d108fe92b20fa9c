"""Records of a partition, from their fetch until they are done."""

import asyncio
from collections.abc import Sequence

from messaging.consumer.worker.inbox import Inbox
from messaging.dead_letters.records import Record


class RecordQueue:
    """Records that wait, the batch in flight, and the offset up to which all are done.

    Attributes:
        inbox: records that wait, in the order of their offsets.
        batch: records in flight; those that are done are taken from its beginning.
        done: the offset up to which everything is done, and which may be committed; None: nothing is done
            since the assignment.
        is_unread: the group has never committed here: the log may begin at any offset.
        log_changed: the log was re-created: no batch begins until the partition is taken over again.
        max_batch: records in flight at once.
    """

    def __init__(self, max_batch: int) -> None:
        self.inbox = Inbox()
        self.batch: list[Record] = []
        self.done: int | None = None
        self.is_unread = self.log_changed = False
        self.max_batch = max_batch
        self._settled = asyncio.Event()
        self._settled.set()

    @property
    def has_room(self) -> bool:
        """True if more records should be fetched: less than half a batch waits."""
        return self.inbox.unreadable is None and len(self.inbox) < self.max_batch / 2

    @property
    def is_busy(self) -> bool:
        """True while records wait or are in flight."""
        return bool(self.inbox or self.batch)

    @property
    def size(self) -> int:
        """Number of records in flight, or else that wait."""
        return len(self.batch or self.inbox)

    def begin(self, size: int) -> None:
        """Put the first waiting records in flight."""
        self._settled.clear()
        self.batch.extend(self.inbox.popleft() for _ in range(size))

    def passed(self, records: Sequence[Record]) -> None:
        """Advance: the first records in flight are done."""
        self.done = records[-1].offset + 1
        del self.batch[: len(records)]

    def return_batch(self) -> None:
        """Put the records in flight back before those that wait."""
        self.inbox.extendleft(reversed(self.batch))
        self.drop_batch()

    def drop_batch(self) -> None:
        """Drop the records in flight: they are fetched again, or belong to a log that is gone."""
        self.batch = []
        self.settle()

    def settle(self) -> None:
        """Say that no batch is in flight: it is done, or abandoned."""
        self._settled.set()

    async def settled(self) -> None:
        """Return once no batch is in flight."""
        await self._settled.wait()
