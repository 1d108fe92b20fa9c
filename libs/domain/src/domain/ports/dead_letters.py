"""Ports of dead letters: stored, listed, discarded, replayed. See `domain.ports.core`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.errors import TransientError
from domain.ports.core import Document
from domain.ports.queries import DeadLetterFilter, Page, Window
from domain.processing.dead_letter import DeadLetterEntry, DeadLetterId, Discard, RecordPosition, Replay
from domain.shipments.event_identity import EventId


class DeadLetterIndex(Protocol):
    """The index of dead letters, which operators search."""

    async def record(self, entry: DeadLetterEntry) -> None:
        """Record a dead letter, unless one with its id is recorded already."""

    async def note_replay(self, replay: Replay) -> None:
        """Record that a dead letter is in the log again, and the operator's action: both or neither.

        Recorded once for each position in the log, however often it is called.
        """


class DeadLetterBin(Protocol):
    """Discarding of dead letters that nobody needs; the records stay in their topic."""

    async def discard(self, dead_letter_id: DeadLetterId, discard: Discard) -> Discard | None:
        """Discard a dead letter, and record the operator's action: both or neither.

        Returns:
            The discard in effect: the earlier one, and nothing changes, if the dead letter is discarded
            already; None if there is no such dead letter.
        """


@dataclass(frozen=True, slots=True)
class Replayed:
    """A dead letter that is in the log again; its event's id, None if it cannot be read."""

    event_id: EventId | None


class DeadLetterReplayer(Protocol):
    """Replay of dead letters into the log. Safe to repeat: each event is applied once."""

    async def replay(
        self, positions: Sequence[RecordPosition], *, by: str
    ) -> list[Replayed | TransientError | None]:
        """Append the dead letters at `positions` to the log, as the original records.

        Those of one shipment are appended in their original order, whatever the order of `positions`, and
        each once.

        Args:
            positions: in the dead-letter topic.
            by: the operator; written into the records, for the processor to record.

        Returns:
            For each position: None if there is no dead letter; the `NotPublished` or `PublishUnknown` that
            says why it may not be in the log.

        Raises:
            StoreUnavailable: the dead letters could not be read; nothing is appended.
        """


class DeadLetterReader(Protocol):
    """Queries of the index of dead letters."""

    async def get(self, dead_letter_id: str) -> Document | None:
        """Return a dead letter, or None."""

    async def page(self, matching: DeadLetterFilter, window: Window) -> Page:
        """Return a part of the list of dead letters, newest first."""
