"""Shared context of the commands: the Waybill they call, and how results are printed."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from operations.literal import literal
from operations.options import Deployment
from operations.waybill import Json, Waybill

_WIDE = 200
"""Width of output that is not a terminal, as in a pipe: lines are not cut."""


class CliContext:
    """Context of one command. Results go to stdout; progress and notices to stderr."""

    def __init__(self, deployment: Deployment) -> None:
        self.waybill = Waybill(deployment.url, os.environ)
        self.as_json = deployment.as_json
        # What comes from Waybill was written by anybody: no markup and no control sequence counts.
        self.watching = Console(stderr=True, highlight=False, markup=False, emoji=False)
        width = None if sys.stdout.isatty() else _WIDE
        self._out = Console(highlight=False, markup=False, emoji=False, width=width)

    def show(self, found: Json | Sequence[Json]) -> None:
        """Print a result as JSON, or the fields of an object line by line."""
        if self.as_json or not isinstance(found, Mapping):
            self._out.out(literal(json.dumps(found, ensure_ascii=False)))
            return
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in found.items():
            table.add_row(literal(name), _text(value))
        self._out.print(table)

    def show_list(self, found: Iterable[Json], columns: Sequence[str]) -> None:
        """Print objects as JSON, or as a table of some of their fields."""
        if self.as_json:
            self.show(list(found))
            return
        table = Table(box=SIMPLE, pad_edge=False)
        for name in columns:
            table.add_column(name.replace("_", " "), overflow="fold")
        for each in found:
            table.add_row(*(_text(each[name]) for name in columns))
        self._out.print(table)

    def show_some(self, pages: Iterable[Sequence[Json]], columns: Sequence[str], *, limit: int) -> None:
        """Print the first objects of a list, with a notice if there are more."""
        found = list(islice(chain.from_iterable(pages), limit + 1))
        self.show_list(found[:limit], columns)
        if len(found) > limit:
            self.say(f"there are more than these {limit}: --limit shows more at once")

    def say(self, text: str) -> None:
        """Print a notice to stderr."""
        self.watching.print(literal(text), soft_wrap=True)


def _text(value: object) -> str:
    if value is None:
        return "-"
    return literal(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
