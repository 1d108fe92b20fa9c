"""Order of a table, which its address holds: `?sort=lag`, or `?sort=-lag` for the greatest first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Sorting:
    """The order of a table."""

    column: str
    descending: bool

    def toggled(self, column: str) -> str:
        """Return the `sort` of a column's heading: the other way round if the table has that order."""
        return f"-{column}" if column == self.column and not self.descending else column

    def state(self, column: str) -> str | None:
        """Return `aria-sort` of a column; None: the table has another order."""
        if column != self.column:
            return None
        return "descending" if self.descending else "ascending"

    def sorted(self, rows: Sequence[Row], keys: Mapping[str, Callable[[Row], Any]]) -> list[Row]:
        """Return rows in this order."""
        return sorted(rows, key=keys[self.column], reverse=self.descending)


def sorting_of(request: web.Request, columns: Mapping[str, object], default: str) -> Sorting:
    """Return the order that an address asks for; one that is not known gives the default."""
    asked = request.query.get("sort", default)
    known = asked if asked.removeprefix("-") in columns else default
    return Sorting(known.removeprefix("-"), known.startswith("-"))
