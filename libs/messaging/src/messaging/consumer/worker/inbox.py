"""Records of a partition that are fetched and not being handled yet."""

from collections import deque
from collections.abc import Iterable

from messaging.dead_letters.records import Record
from messaging.unpacking import UnreadableBatch


class Inbox(deque[Record]):
    """Records in the order of their offsets, up to those that cannot be read.

    Attributes:
        unreadable: the batch after the last record; nothing that follows it is added.
    """

    unreadable: UnreadableBatch | None = None

    @property
    def has_any(self) -> bool:
        """True if there is something to handle, or to halt at."""
        return bool(self) or self.unreadable is not None

    def put(self, records: Iterable[Record | UnreadableBatch]) -> None:
        """Add fetched records."""
        for record in records:
            if self.unreadable is not None:
                return
            if isinstance(record, UnreadableBatch):
                self.unreadable = record
            else:
                self.append(record)

    def pass_over(self, below: int) -> int | None:
        """Skip an unreadable batch, if nothing else waits and it ends below an offset.

        Returns:
            The offset after it, if it was skipped.
        """
        unreadable = self.unreadable
        if self or unreadable is None or unreadable.next_offset > below:
            return None
        self.unreadable = None
        return unreadable.next_offset

    def drop(self) -> None:
        """Drop all records: they will be fetched again."""
        self.clear()
        self.unreadable = None
