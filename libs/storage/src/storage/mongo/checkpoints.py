"""Checkpoints in the document of a shipment: a ring of the last ones beside the history (ADR 0026).

The n-th checkpoint, counted from 0, is in slot n modulo `MAX_CHECKPOINTS`. So a write by position bounds the
document, and its repetition changes nothing. Readers see one history.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

Document = dict[str, Any]

CHECKPOINT: Final = "checkpoint"
"""Field of an event and of an entry in the history: the code."""
RING: Final = "checkpoints"
"""Field of a shipment: the ring. Absent as long as there are no checkpoints, like the count."""
COUNT: Final = "checkpoint_count"
"""Field of a shipment: the number of its checkpoints, those included that the ring has lost."""
LAST: Final = "last_checkpoint"

MAX_CHECKPOINTS: Final = 100
"""Maximum number of checkpoints in the document of a shipment; the last ones stay, the audit log has all."""

_LAST_FIELDS: Final = (CHECKPOINT, "timestamp", "location")


@dataclass(slots=True)
class RingChange:
    """Change of a ring: checkpoints that are applied and retracted, one after the other.

    A retracted one leaves its slot empty (null): what it has overwritten is in the audit log alone. Without
    checkpoints there is no ring.

    Attributes:
        count: the number of checkpoints.
        slots: the changed ones, by place.
        is_whole: the slots are all of the ring.
    """

    count: int = 0
    slots: dict[int, Document | None] = field(default_factory=dict)
    is_whole: bool = False

    def add(self, entry: Document) -> None:
        """Add the next checkpoint."""
        self.is_whole |= self.count == 0
        self.slots[self.count % MAX_CHECKPOINTS] = entry
        self.count += 1

    def remove_last(self) -> None:
        """Remove the last checkpoint."""
        self.count -= 1
        self.slots[self.count % MAX_CHECKPOINTS] = None
        if self.count == 0:
            self.slots.clear()

    def put_into(self, fields: Document) -> None:
        """Put what the change sets in a shipment into `fields`, by path; nothing if there is none."""
        if not self.slots:
            return
        fields[COUNT] = self.count
        if self.is_whole:  # a path into an array that does not exist would create an object
            fields[RING] = [self.slots.get(slot) for slot in range(max(self.slots) + 1)]
        else:
            fields |= {f"{RING}.{slot}": entry for slot, entry in self.slots.items()}


def with_checkpoints(shipment: Document) -> Document:
    """Return a shipment in the shape of the API: checkpoints follow, in its history, the status that held.

    `last_checkpoint` is that of the present status, and absent if it has none.
    """
    if not shipment.get(RING):
        return shipment
    history = merged_history(shipment)
    del shipment[RING], shipment[COUNT]
    shipment["status_history"] = history
    if CHECKPOINT in history[-1]:
        shipment[LAST] = {name: history[-1][name] for name in _LAST_FIELDS}
    return shipment


def merged_history(shipment: Document, lost: Iterable[Document] = ()) -> list[Document]:
    """Return the history of a stored shipment, with its checkpoints.

    Statuses do not come back while checkpoints of them stand, so an entry's status says where it belongs.

    Args:
        shipment: as it is stored.
        lost: entries of checkpoints that the ring has lost, oldest first.
    """
    passed: dict[str, list[Document]] = {}
    for entry in (*lost, *kept_checkpoints(shipment)):
        passed.setdefault(entry["status"], []).append(entry)
    return list(_merged(shipment["status_history"], passed))


def kept_checkpoints(shipment: Document) -> list[Document]:
    """Return the standing checkpoints of a ring, oldest first."""
    ring, count = shipment.get(RING, ()), shipment.get(COUNT, 0)
    oldest = count % MAX_CHECKPOINTS if count > MAX_CHECKPOINTS else 0
    return [entry for entry in (*ring[oldest:], *ring[:oldest]) if entry is not None]


def _merged(statuses: Iterable[Document], passed: dict[str, list[Document]]) -> Iterator[Document]:
    for entry in statuses:
        yield entry
        yield from passed.get(entry["status"], ())
