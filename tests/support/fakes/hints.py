"""What Redis does for us, in memory: remember applied events, tell those who wait."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from domain.ports import Answer


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


class InMemoryAnswers:
    """Keeps what was sent, by address."""

    def __init__(self) -> None:
        self.sent: defaultdict[str, list[Answer]] = defaultdict(list)

    async def send(self, answers: Mapping[str, Sequence[Answer]]) -> None:
        """Keep the answers."""
        for address, some in answers.items():
            self.sent[address] += some
