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
    """An index of dead letters and their state, read by `InMemoryDeadLetterReader`."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._dead_letters = documents.dead_letters
        self._actions = documents.actions

    async def record(self, entry: DeadLetterEntry) -> None:
        """Record a dead letter, unless one with its id is recorded already."""
        with self.around("record"):
            self._dead_letters.setdefault(entry.id, {**asdict(entry), **UNTOUCHED})

    async def note_replay(self, replay: Replay) -> None:
        """Record that a dead letter is in the log again, once for each position."""
        with self.around("note_replay"):
            action = replayed(replay)
            if action.id in self._actions:
                return
            self._note(action)
            dead_letter = self._dead_letters.get(replay.dead_letter_id)
            if dead_letter is not None:
                dead_letter["replays"] += 1
                dead_letter["last_replay"] = last_replay(replay)
                if dead_letter["discard"] is None or dead_letter["discard"]["at"] <= replay.at:
                    dead_letter["state"] = DeadLetterState.REPLAYED

    async def discard(self, dead_letter_id: DeadLetterId, discard: Discard) -> Discard | None:
        """Discard a dead letter; return the discard in effect."""
        with self.around("discard"):
            found = self._dead_letters.get(dead_letter_id)
            if found is None or found["state"] == DeadLetterState.DISCARDED:
                return None if found is None else Discard(**found["discard"])
            found |= {"state": DeadLetterState.DISCARDED, "discard": asdict(discard)}
            self._note(discarded(dead_letter_id, discard))
            return discard

    def _note(self, action: OperatorAction) -> None:
        self._actions[action.id] = document_of(action)


class InMemoryDeadLetterReplayer(Faults):
    """A replayer of `dead_letters`, by position; records the requested positions and users."""

    def __init__(
        self, dead_letters: Mapping[RecordPosition, Replayed | TransientError] | None = None
    ) -> None:
        super().__init__()
        self.dead_letters = dict(dead_letters or {})
        self.replayed: list[RecordPosition] = []
        self.asked_by: list[str] = []

    async def replay(
        self, positions: Sequence[RecordPosition], *, by: str
    ) -> list[Replayed | TransientError | None]:
        """Return the outcome at each position."""
        with self.around("replay"):
            self.asked_by.append(by)
            found = [self.dead_letters.get(position) for position in positions]
            self.replayed += [
                position
                for position, dead_letter in zip(positions, found, strict=True)
                if isinstance(dead_letter, Replayed)
            ]
            return found
