"""Dead letters, in memory."""

from dataclasses import asdict

from domain.dead_letters import DeadLetterEntry, Place
from domain.ports import Replayed
from tests.support.fakes.faults import Faults
from tests.support.fakes.shipments import Documents


class InMemoryDeadLetterIndex(Faults):
    """Notes dead letters where `InMemoryDeadLetterReader` looks for them."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._letters = documents.dead_letters

    async def record(self, entry: DeadLetterEntry) -> None:
        """Note a dead letter, unless one with its id is noted already."""
        with self.around("record"):
            self._letters.setdefault(entry.id, asdict(entry))


class InMemoryDeadLetterReplayer(Faults):
    """Replays what stands at the places of `letters`, and remembers what it was asked for."""

    def __init__(self, letters: dict[Place, Replayed] | None = None) -> None:
        super().__init__()
        self.letters = letters or {}
        self.replayed: list[Place] = []

    async def replay(self, place: Place) -> Replayed | None:
        """Say what stands at the place."""
        with self.around("replay"):
            found = self.letters.get(place)
            if found is not None:
                self.replayed.append(place)
            return found
