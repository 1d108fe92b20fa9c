"""Checkpoints in the document of a shipment: a ring of the last ones beside the history (ADR 0026).

The n-th checkpoint, counted from 0, is in slot n modulo `MAX_CHECKPOINTS`. So a write by position bounds the
document, and its repetition changes nothing. Readers see one history.
"""

from collections.abc import Iterable, Iterator, Sequence
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


def ring_of(entries: Iterable[Document]) -> list[Document]:
    """Return the ring that holds the last of all checkpoints, given in their order."""
    ring: list[Document] = []
    for index, entry in enumerate(entries):
        if index < MAX_CHECKPOINTS:
            ring.append(entry)
        else:
            ring[index % MAX_CHECKPOINTS] = entry
    return ring


def put_checkpoints(fields: Document, entries: Sequence[Document], *, before: int) -> None:
    """Put what more checkpoints set in a shipment into `fields`, by path; nothing if there are none.

    Args:
        fields: to add to.
        entries: the entries of the new ones, in their order.
        before: the number of checkpoints before them.
    """
    if not entries:
        return
    fields[COUNT] = before + len(entries)
    if before:
        fields |= {
            f"{RING}.{index % MAX_CHECKPOINTS}": entry for index, entry in enumerate(entries, start=before)
        }
    else:  # a path into an array that does not exist would create an object
        fields[RING] = ring_of(entries)


def with_checkpoints(shipment: Document) -> Document:
    """Return a shipment in the shape of the API: checkpoints follow, in its history, the status that held.

    Statuses do not come back, so an entry's status says where it belongs. `last_checkpoint` is that of the
    present status, and absent if it has none.
    """
    ring = shipment.pop(RING, None)
    count = shipment.pop(COUNT, 0)
    if not ring:
        return shipment
    oldest = count % MAX_CHECKPOINTS if count > MAX_CHECKPOINTS else 0
    passed: dict[str, list[Document]] = {}
    for entry in (*ring[oldest:], *ring[:oldest]):
        if entry is not None:
            passed.setdefault(entry["status"], []).append(entry)
    shipment["status_history"] = list(_merged(shipment["status_history"], passed))
    if present := passed.get(shipment["current_status"]):
        shipment[LAST] = {name: present[-1][name] for name in _LAST_FIELDS}
    return shipment


def _merged(statuses: Iterable[Document], passed: dict[str, list[Document]]) -> Iterator[Document]:
    for entry in statuses:
        yield entry
        yield from passed.get(entry["status"], ())
