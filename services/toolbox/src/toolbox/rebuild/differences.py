"""What is stored against what should be, told field by field. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from storage.mongo.documents import Document

PROCESSING_TIMES: Final = frozenset({"recorded_at", "updated_at"})
"""What the log cannot know: when the processor committed."""

BOUNDED: Final = frozenset({"other_payloads"})
"""What the store cuts off batch by batch, so that it depends on how the log was cut."""

_HISTORY: Final = "status_history"


def differences(
    found: Document, wanted: Document, *, leave_out: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Tell what `found` has otherwise than `wanted`; the order of members means nothing, as in JSON.

    Args:
        found: as it is stored.
        wanted: as it should be.
        leave_out: names of members that are not compared, at any depth.
    """
    if (lines := _history(found, wanted)) is not None:
        yield lines
        leave_out |= {_HISTORY}
    yield from _members(found, wanted, "", leave_out)


def _history(found: Document, wanted: Document) -> str | None:
    """Name what was lost, doubled or swapped in the history as a whole: line by line nobody would see it."""
    if not isinstance(wanted.get(_HISTORY), list):
        return None
    there, should = _ids(found.get(_HISTORY)), _ids(wanted[_HISTORY])
    return None if there == should else f"{_HISTORY} is {_told(there)}, should be {_told(should)}"


def _ids(history: object) -> list[object]:
    if not isinstance(history, Sequence):
        return [history]
    return [
        (line.get("status"), line.get("event_id")) if isinstance(line, dict) else line for line in history
    ]


def _told(ids: Sequence[object]) -> str:
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
