"""What Redis does for us, in memory: remember applied events, tell those who wait."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

from domain.ports.core import Reply


class InMemoryDuplicateFilter:
    """Remembers members by partition, until it is told to forget."""

    def __init__(self) -> None:
        self._members: defaultdict[str, set[str]] = defaultdict(set)
        self.reachable = True

    async def seen(self, partition: str, members: Sequence[str]) -> Sequence[bool]:
        """Say of each member whether it was marked; all False while out of reach."""
        marked = self._members[partition] if self.reachable else frozenset()
        return [member in marked for member in members]

    async def mark(self, partition: str, members: Sequence[str]) -> None:
        """Remember members; nothing happens while out of reach."""
        if self.reachable:
            self._members[partition].update(members)

    def forget(self) -> None:
        """Lose everything, as a restarted Redis does."""
        self._members.clear()


class InMemoryReplies:
    """Keeps what was sent, by address, and hands it to whoever waits there."""

    def __init__(self) -> None:
        self.sent: defaultdict[str, list[Reply]] = defaultdict(list)
        self.waiting: dict[str, asyncio.Future[Reply]] = {}

    async def send(self, answers: Mapping[str, Reply]) -> None:
        """Keep the answers."""
        for address, answer in answers.items():
            self.sent[address].append(answer)
            future = self.waiting.get(address)
            if future is not None and not future.done():
                future.set_result(answer)


class InMemoryReplyInbox:
    """Where requests wait for what `InMemoryReplies` sends, as long as it is within reach."""

    def __init__(self, answers: InMemoryReplies | None = None) -> None:
        self.reachable = True
        self.answers = answers or InMemoryReplies()
        self._numbers = count()

    @property
    def is_open(self) -> bool:
        """Whether answers can arrive."""
        return self.reachable

    @contextmanager
    def expect(self) -> Iterator[tuple[str, asyncio.Future[Reply]]]:
        """Give an address that nobody had before, and the future of the answer to it."""
        address = f"answers:{next(self._numbers)}"
        future = self.answers.waiting[address] = asyncio.get_running_loop().create_future()
        try:
            yield address, future
        finally:
            del self.answers.waiting[address]
