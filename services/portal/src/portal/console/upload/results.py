"""The result file: the rows of the file, each with the id of its event or its error."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from portal.console.upload.sending import RowResult
from waybill.importing.columns import ERROR, EVENT_ID
from waybill.importing.tables import Table

RESULTS: Final = (EVENT_ID, ERROR)
"""Columns that a result file has beside those of the file."""


def with_result_columns(table: Table) -> Table:
    """Return a table with empty result columns, in place of those of an earlier upload."""
    kept = [position for position, name in enumerate(table.header) if name not in RESULTS]
    return Table(
        (*(table.header[position] for position in kept), *RESULTS),
        tuple((*(row[position] for position in kept), *("" for _ in RESULTS)) for row in table.rows),
    )


def with_results(
    table: Table, start: int, results: Sequence[RowResult], translate: Callable[[str], str]
) -> Table:
    """Return a table with the outcomes of the rows from `start` in its result columns.

    Args:
        table: with result columns.
        start: position of the first of these rows.
        results: their outcomes.
        translate: gives messages in the language of the user.
    """
    rows = list(table.rows)
    for position, result in enumerate(results, start):
        own = rows[position][: -len(RESULTS)]
        rows[position] = (*own, result.event_id, error_text(result, translate))
    return replace(table, rows=tuple(rows))


def error_text(result: RowResult, translate: Callable[[str], str]) -> str:
    """Return the error of a row, empty if it has none."""
    return f"{result.column} {translate(result.error)}" if result.column else result.error


def rejected_rows(table: Table) -> list[tuple[int, str]]:
    """Return the number and the error of each row that was rejected; the first row below the header is 1."""
    error = table.header.index(ERROR)
    return [(number, row[error]) for number, row in enumerate(table.rows, start=1) if row[error]]


def count_sent(table: Table) -> int:
    """Return how many rows the API has accepted."""
    event_id = table.header.index(EVENT_ID)
    return sum(1 for row in table.rows if row[event_id])
