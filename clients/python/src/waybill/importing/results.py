"""Result files: the same file in the same format, with the outcome, the id and the error of each row.

Spreadsheets run a cell of a CSV file that begins like a formula. The result file puts `'` before such a cell,
as spreadsheets do for text, and takes it away when it is read again: nothing is lost. Numbers such as
-99.13 are left alone. See OWASP, CSV Injection.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Final

from waybill.importing.columns import ERROR, RESULT_COLUMNS, Kind
from waybill.importing.csv_files import CsvFormat, read_csv, write_csv
from waybill.importing.tables import Table
from waybill.importing.xlsx_files import open_to_write, write_xlsx

Cells = Mapping[tuple[int, int], str]
"""Texts of cells by line and column, from 0."""

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_NUMBER: Final = re.compile(r"[+-]?[\d\s.,:/()-]*%?")


class Outcome(StrEnum):
    """Outcome of a row."""

    QUEUED = "queued"
    APPLIED = "applied"
    CREATED = "created"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"


@dataclass(frozen=True, slots=True)
class RowResult:
    """The outcome of one row.

    Attributes:
        id: of the event, or the tracking number of the shipment.
        error: for people.
    """

    outcome: Outcome
    id: str = ""
    error: str = ""

    @property
    def cells(self) -> tuple[str, str, str]:
        """Texts of the result columns."""
        return self.outcome.value, self.id, self.error


def is_result(table: Table) -> bool:
    """Say whether a file is the result of an earlier import."""
    return ERROR in table.header


def without_marks(table: Table) -> Table:
    """Return a table as it was before a result file put `'` before its formulas."""
    if not is_result(table) or not isinstance(table.format, CsvFormat):
        return table
    return replace(table, rows=tuple(tuple(map(_unmarked, row)) for row in table.rows))


def csv_file(table: Table) -> bytes:
    """Return a table as a CSV file that spreadsheets read: UTF-8 with the mark by which Excel knows it."""
    rows = ([_marked(cell) for cell in row] for row in (table.header, *table.rows))
    return write_csv(rows, CsvFormat(bom=True))


class ResultFile:
    """The file that was read, to be returned with result columns; those of an earlier import are replaced."""

    def __init__(self, content: bytes, table: Table, kind: Kind) -> None:
        """Open the file.

        Args:
            content: of the file.
            table: read from it.
            kind: of its rows.

        Raises:
            UnreadableFile: it is a workbook that cannot be written.
        """
        self._table = table
        self._kind = kind
        given = table.format
        self._written: Callable[[Cells], bytes] = (
            partial(_written_csv, content, given, was_marked=is_result(table))
            if isinstance(given, CsvFormat)
            else partial(write_xlsx, open_to_write(content), given.sheet)
        )

    def with_results(self, results: Sequence[RowResult]) -> bytes:
        """Return the file with the outcomes of the rows of the table, one for each."""
        return self._written(_result_cells(self._table, self._kind, results))


def _written_csv(content: bytes, given: CsvFormat, cells: Cells, *, was_marked: bool) -> bytes:
    _, rows = read_csv(content, encoding=given.encoding, separator=given.separator)
    return write_csv(_with_cells(rows, cells, was_marked=was_marked), given)


def _result_cells(table: Table, kind: Kind, results: Sequence[RowResult]) -> Cells:
    """Return the texts of the result columns by line and column, from 0."""
    names, end = RESULT_COLUMNS[kind], len(table.header)
    columns = []
    for name in names:
        columns.append(table.header.index(name) if name in table.header else end)
        end = max(end, columns[-1] + 1)
    lines = [(table.header_line, names)]
    lines += [(line, result.cells) for line, result in zip(table.lines, results, strict=True)]
    return {
        (line, column): text for line, texts in lines for column, text in zip(columns, texts, strict=True)
    }


def _with_cells(rows: Iterator[Sequence[str]], cells: Cells, *, was_marked: bool) -> Iterator[list[str]]:
    columns = sorted({column for _, column in cells})
    for line, row in enumerate(rows):
        own = [_unmarked(cell) for cell in row] if was_marked else list(row)
        if (line, columns[0]) in cells:
            own += [""] * (columns[-1] + 1 - len(own))
            for column in columns:
                own[column] = cells[line, column]
        yield [_marked(cell) for cell in own]


def _marked(cell: str) -> str:
    is_formula = _FORMULA.match(cell) is not None and _NUMBER.fullmatch(cell) is None
    return f"'{cell}" if is_formula else cell


def _unmarked(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
