"""Dead letters, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from domain.access.operator_actions import OperatorAction
from domain.errors import TransientError
from domain.ports.dead_letters import Replayed
from domain.processing.dead_letter import (
    UNTOUCHED,
    DeadLetterEntry,
    DeadLetterId,
    DeadLetterState,
    Discard,
    RecordPosition,
    Replay,
    discarded,
    last_replay,
    replayed,
)
from tests.support.fakes.actions import document_of
from tests.support.fakes.faults import Faults
from tests.support.fakes.shipments import Documents


class InMemoryDeadLetterIndex(Faults):
    """Notes dead letters, and what becomes of them, where `InMemoryDeadLetterReader` looks for them."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._letters = documents.dead_letters
        self._actions = documents.actions

    async def record(self, entry: DeadLetterEntry) -> None:
        """Note a dead letter, unless one with its id is noted already."""
        with self.around("record"):
            self._letters.setdefault(entry.id, {**asdict(entry), **UNTOUCHED})

    async def note_replay(self, replay: Replay) -> None:
        """Note that a dead letter stands in the log again, once for each place."""
        with self.around("note_replay"):
            action = replayed(replay)
            if action.id in self._actions:
                return
            self._note(action)
            letter = self._letters.get(replay.letter)
            if letter is not None:
                letter["replays"] += 1
                letter["last_replay"] = last_replay(replay)
                if letter["discard"] is None or letter["discard"]["at"] <= replay.at:
                    letter["state"] = DeadLetterState.REPLAYED

    async def discard(self, letter: DeadLetterId, discard: Discard) -> Discard | None:
        """Discard a dead letter; the discard that stands comes back."""
        with self.around("discard"):
            found = self._letters.get(letter)
            if found is None or found["state"] == DeadLetterState.DISCARDED:
                return None if found is None else Discard(**found["discard"])
            found |= {"state": DeadLetterState.DISCARDED, "discard": asdict(discard)}
            self._note(discarded(letter, discard))
            return discard

    def _note(self, action: OperatorAction) -> None:
        self._actions[action.id] = document_of(action)


class InMemoryDeadLetterReplayer(Faults):
    """Replays what stands at the places of `letters`, and remembers what it was asked for, and by whom."""

    def __init__(self, letters: Mapping[RecordPosition, Replayed | TransientError] | None = None) -> None:
        super().__init__()
        self.letters = dict(letters or {})
        self.replayed: list[RecordPosition] = []
        self.asked_by: list[str] = []

    async def replay(
        self, places: Sequence[RecordPosition], *, by: str
    ) -> list[Replayed | TransientError | None]:
        """Say what stands at the places."""
        with self.around("replay"):
            self.asked_by.append(by)
            found = [self.letters.get(place) for place in places]
            self.replayed += [
                place for place, letter in zip(places, found, strict=True) if isinstance(letter, Replayed)
            ]
            return found
