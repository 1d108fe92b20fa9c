"""What was fetched of a partition and is not in work yet."""

from collections import deque
from collections.abc import Iterable

from messaging.dead_letters.records import Record
from messaging.unpacking import UnreadableBatch


class Inbox(deque[Record]):
    """Records in the order of their offsets, up to those that cannot be read.

    Attributes:
        unreadable: what stands behind the last record; nothing that follows it is taken in.
    """

    unreadable: UnreadableBatch | None = None

    @property
    def has_any(self) -> bool:
        """Whether there is something to handle, or to halt at."""
        return bool(self) or self.unreadable is not None

    def put(self, records: Iterable[Record | UnreadableBatch]) -> None:
        """Take in what was fetched."""
        for record in records:
            if self.unreadable is not None:
                return
            if isinstance(record, UnreadableBatch):
                self.unreadable = record
            else:
                self.append(record)

    def pass_over(self, below: int) -> int | None:
        """Leave behind what cannot be read, if nothing else waits and it ends below an offset.

        Returns:
            the offset behind it, if so.
        """
        unreadable = self.unreadable
        if self or unreadable is None or unreadable.next_offset > below:
            return None
        self.unreadable = None
        return unreadable.next_offset

    def drop(self) -> None:
        """Forget all of it: it will be fetched again."""
        self.clear()
        self.unreadable = None
