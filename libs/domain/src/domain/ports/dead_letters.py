"""Ports of dead letters: kept, listed, discarded, put back into the log. See `domain.ports.core`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.errors import TransientError
from domain.ports.core import Document
from domain.ports.queries import DeadLetterFilter, Page, Window
from domain.processing.dead_letter import DeadLetterEntry, DeadLetterId, Discard, RecordPosition, Replay
from domain.shipments.event_identity import EventId


class DeadLetterIndex(Protocol):
    """Where operators look for records that could not be applied."""

    async def record(self, entry: DeadLetterEntry) -> None:
        """Note a dead letter, unless one with its id is noted already."""

    async def note_replay(self, replay: Replay) -> None:
        """Note that a dead letter stands in the log again, and the operator's action: both or neither.

        Noted once for each place of the log, however often it is called.
        """


class DeadLetterBin(Protocol):
    """Where dead letters go that nobody needs any more; the records stay in their topic all the same."""

    async def discard(self, letter: DeadLetterId, discard: Discard) -> Discard | None:
        """Discard a dead letter, and note the operator's action: both or neither.

        Returns:
            The discard that stands: another one, and nothing changes, if the dead letter is discarded
            already; None if there is no such dead letter.
        """


@dataclass(frozen=True, slots=True)
class Replayed:
    """A dead letter that stands in the log again; its event's id, None if it cannot be read."""

    event_id: EventId | None


class DeadLetterReplayer(Protocol):
    """Puts dead letters back into the log. Safe to repeat: what was applied is applied once."""

    async def replay(
        self, places: Sequence[RecordPosition], *, by: str
    ) -> list[Replayed | TransientError | None]:
        """Append the dead letters at `places` to the log, as they were before they died.

        Those of one shipment are appended in the order in which they stood in the log, whatever the order of
        `places`, and each once.

        Args:
            places: where they stand.
            by: who wants it; the records say so, for the processor to note.

        Returns:
            For each place: None if there is no dead letter; the `NotPublished` or `PublishUnknown` that
            says why it may not be in the log.

        Raises:
            StoreUnavailable: the dead letters could not be read; nothing is appended.
        """


class DeadLetterReader(Protocol):
    """Reads the index of the dead-letter topic."""

    async def get(self, dead_letter_id: str) -> Document | None:
        """Return a dead letter, or None."""

    async def page(self, matching: DeadLetterFilter, window: Window) -> Page:
        """Return a part of the list of dead letters, newest first."""
