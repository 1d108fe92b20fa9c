"""Pages of lists, in memory."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from domain.ports.core import Document
from domain.ports.queries import Page, Position, Window

Key = tuple[Any, ...]


def by_time(place: Position) -> Key:
    """Order by time, and within one instant by id."""
    return place.instant, place.id


def page_of(
    found: Iterable[Document],
    window: Window,
    *,
    names: tuple[str, str],
    order: Callable[[Position], Key],
    newest_first: bool = False,
) -> Page:
    """Return the part of a list that a window shows."""
    time, id_as = names

    def key(document: Document) -> Key:
        return order(Position(document[time], document[id_as]))

    def is_behind(document: Document, after: Position) -> bool:
        return key(document) < order(after) if newest_first else key(document) > order(after)

    listed = sorted(found, key=key, reverse=newest_first)
    rest = [each for each in listed if window.after is None or is_behind(each, window.after)]
    data = rest[window.offset : window.offset + window.limit]
    is_last = window.offset + len(data) >= len(rest)
    last = None if is_last else Position(data[-1][time], data[-1][id_as])
    return Page(data=deepcopy(data), total=len(listed), last=last)
