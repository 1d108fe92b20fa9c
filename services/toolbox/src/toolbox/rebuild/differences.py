"""Differences between a stored and an expected document, field by field. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from storage.mongo.checkpoints import RING
from storage.mongo.documents import Document

PROCESSING_TIMES: Final = frozenset({"recorded_at", "updated_at"})
"""Fields that the log cannot know: the time of the processor's transaction."""

BOUNDED: Final = frozenset({"other_payloads"})
"""Fields that the store truncates batch by batch, so that they depend on the batches."""

HISTORIES: Final = ("status_history", RING)
"""Fields with the entries of a shipment's history."""


def differences(
    found: Document, wanted: Document, *, leave_out: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Yield the differences of `found` from `wanted`; the order of members does not matter, as in JSON.

    Args:
        found: stored document.
        wanted: expected document.
        leave_out: names of members to ignore, at any depth.
    """
    for name in HISTORIES:
        if (lines := _history(found, wanted, name)) is not None:
            yield lines
            leave_out |= {name}
    yield from _members(found, wanted, "", leave_out)


def _history(found: Document, wanted: Document, name: str) -> str | None:
    """Describe lost, duplicated or swapped entries of the history: entry by entry they would be obscure."""
    if not isinstance(wanted.get(name), list):
        return None
    there, should = _ids(found.get(name)), _ids(wanted[name])
    return None if there == should else f"{name} is {_listed(there)}, should be {_listed(should)}"


def _ids(history: object) -> list[object]:
    if not isinstance(history, Sequence):
        return [history]
    return [
        (line.get("status"), line.get("event_id")) if isinstance(line, dict) else line for line in history
    ]


def _listed(ids: Sequence[object]) -> str:
    return ", ".join(f"{each[0]} ({each[1]})" if isinstance(each, tuple) else repr(each) for each in ids)


def _members(found: Document, wanted: Document, path: str, leave_out: frozenset[str]) -> Iterator[str]:
    for name in [*wanted, *(extra for extra in found if extra not in wanted)]:
        where = f"{path}.{name}" if path else name
        if name in leave_out:
            continue
        if name not in wanted:
            yield f"{where} is {found[name]!r}, should not be there"
        elif name not in found:
            yield f"{where} is missing, should be {wanted[name]!r}"
        else:
            yield from _values(found[name], wanted[name], where, leave_out)


def _values(found: Any, wanted: Any, path: str, leave_out: frozenset[str]) -> Iterator[str]:  # noqa: ANN401  # whatever BSON holds
    if isinstance(found, dict) and isinstance(wanted, dict):
        yield from _members(found, wanted, path, leave_out)
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        for index, (one, other) in enumerate(zip(found, wanted, strict=True)):
            yield from _values(one, other, f"{path}.{index}", leave_out)
    elif found != wanted or isinstance(found, float) is not isinstance(wanted, float):
        yield f"{path} is {found!r}, should be {wanted!r}"
