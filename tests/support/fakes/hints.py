"""Redis adapters, in memory: the duplicate filter and replies."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

from domain.ports.core import Reply


class InMemoryDuplicateFilter:
    """Marked members by partition, until `forget`."""

    def __init__(self) -> None:
        self._members: defaultdict[str, set[str]] = defaultdict(set)
        self.reachable = True

    async def seen(self, members: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[bool]]:
        """Say of each member whether it was marked; all False while unreachable."""
        return {
            partition: [self.reachable and each in self._members[partition] for each in asked]
            for partition, asked in members.items()
        }

    async def mark(self, members: Mapping[str, Sequence[str]]) -> None:
        """Mark members; nothing happens while unreachable."""
        if self.reachable:
            for partition, marked in members.items():
                self._members[partition].update(marked)

    def forget(self) -> None:
        """Drop everything, as a restarted Redis does."""
        self._members.clear()


class InMemoryReplies:
    """Sent replies by address, passed to the request that waits there."""

    def __init__(self) -> None:
        self.sent: defaultdict[str, list[Reply]] = defaultdict(list)
        self.waiting: dict[str, asyncio.Future[Reply]] = {}

    async def send(self, replies: Mapping[str, Reply]) -> None:
        """Keep the replies."""
        for address, reply in replies.items():
            self.sent[address].append(reply)
            future = self.waiting.get(address)
            if future is not None and not future.done():
                future.set_result(reply)


class InMemoryReplyInbox:
    """An inbox for the replies of `InMemoryReplies`, while it is reachable."""

    def __init__(self, replies: InMemoryReplies | None = None) -> None:
        self.reachable = True
        self.replies = replies or InMemoryReplies()
        self._numbers = count()

    @property
    def is_open(self) -> bool:
        """True while replies can arrive."""
        return self.reachable

    @contextmanager
    def expect(self) -> Iterator[tuple[str, asyncio.Future[Reply]]]:
        """Return a new address, and the future of its reply."""
        address = f"answers:{next(self._numbers)}"
        future = self.replies.waiting[address] = asyncio.get_running_loop().create_future()
        try:
            yield address, future
        finally:
            del self.replies.waiting[address]
