"""Files of rows: CSV and XLSX, each cell as text, with the place of each row in its file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from waybill.importing.csv_files import CsvFormat, read_csv
from waybill.importing.errors import UnreadableFile, message
from waybill.importing.limits import Limits
from waybill.importing.xlsx_files import TOO_MANY_ROWS, TOO_WIDE, XlsxFormat, read_xlsx

OLD_EXCEL: Final = message("This is a file of an old Excel (.xls) or has a password: save it as XLSX or CSV.")
EMPTY: Final = message("The file has no rows below its first one, which names the columns.")
TOO_LONG_CELL: Final = message("The file has a cell with more than {most} characters.")
TOO_MANY_BYTES: Final = "The file has more than {most} bytes: split it."
TOO_MANY_CELLS: Final = "The file has more than {most} cells: split it."

_ZIP: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
HEADER_WITHIN: Final = 30
"""Lines in which the names of the columns are looked for: reports begin with titles."""

Score = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class Table:
    """A file of rows.

    Attributes:
        header: names of the columns, as the file has them.
        rows: the others, each as long as the header; cells without the space around them.
        header_line: line of the header, from 0.
        lines: line of each row, from 0; a line with a line break in a cell counts once.
        format: of the file.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    header_line: int = field(default=0, compare=False)
    lines: tuple[int, ...] = field(default=(), compare=False)
    format: CsvFormat | XlsxFormat = field(default=CsvFormat(), compare=False)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Facts about a file that are given instead of being found.

    Attributes:
        encoding: of a CSV file.
        separator: of a CSV file.
        sheet: of an XLSX file; None: the first one.
    """

    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None


def read_table(
    content: bytes,
    limits: Limits = Limits(),  # noqa: B008  # immutable
    options: ReadOptions = ReadOptions(),  # immutable
    score: Score | None = None,
) -> Table:
    """Read a CSV or XLSX file; its content decides which it is, not its name.

    Args:
        content: of the file.
        limits: what is larger is refused.
        options: facts about the file.
        score: number of columns that a line would name if it were the header; the line with most of them is
            the header, of those at the beginning. None: the first line that is not empty.

    Raises:
        UnreadableFile: it is neither, or too large.
        InvalidLayout: the options do not fit the file.
    """
    if len(content) > limits.file_bytes:
        raise UnreadableFile(TOO_MANY_BYTES, most=limits.file_bytes)
    if content.startswith(_OLD_EXCEL):
        raise UnreadableFile(OLD_EXCEL)
    found: CsvFormat | XlsxFormat
    if content.startswith(_ZIP):
        found, rows = read_xlsx(content, limits, sheet=options.sheet)
    else:
        found, rows = read_csv(content, encoding=options.encoding, separator=options.separator)
    kept = _kept_lines(rows, limits)
    header_at = _header_of(kept, score)
    return _table_of(kept[header_at:], found, limits)


Line = tuple[int, tuple[str, ...]]


def _kept_lines(rows: Iterator[Sequence[str]], limits: Limits) -> list[Line]:
    """Return the lines that are not empty, with their numbers."""
    kept: list[Line] = []
    for number, row in enumerate(rows):
        cells = _bounded(row, limits)
        if number > limits.lines or (cells and len(kept) > limits.rows + HEADER_WITHIN):
            raise UnreadableFile(TOO_MANY_ROWS, most=limits.rows)
        if cells:
            kept.append((number, cells))
    return kept


def _header_of(lines: Sequence[Line], score: Score | None) -> int:
    if score is None:
        return 0
    scores = [score(cells) for _, cells in lines[:HEADER_WITHIN]]
    return scores.index(max(scores)) if scores else 0


def _table_of(lines: Sequence[Line], found: CsvFormat | XlsxFormat, limits: Limits) -> Table:
    if len(lines) < 2:  # noqa: PLR2004  # the header and a row
        raise UnreadableFile(EMPTY)
    if len(lines) - 1 > limits.rows:
        raise UnreadableFile(TOO_MANY_ROWS, most=limits.rows)
    width = max(len(cells) for _, cells in lines)
    if width * len(lines) > limits.cells:
        raise UnreadableFile(TOO_MANY_CELLS, most=limits.cells)
    (header_line, header), *rows = lines
    return Table(
        _widened(header, width),
        tuple(_widened(cells, width) for _, cells in rows),
        header_line=header_line,
        lines=tuple(number for number, _ in rows),
        format=found,
    )


def _bounded(row: Sequence[str], limits: Limits) -> tuple[str, ...]:
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > limits.columns:
        raise UnreadableFile(TOO_WIDE, most=limits.columns)
    if any(len(cell) > limits.cell_characters for cell in cells):
        raise UnreadableFile(TOO_LONG_CELL, most=limits.cell_characters)
    return tuple(cells)


def _widened(row: tuple[str, ...], width: int) -> tuple[str, ...]:
    return row + ("",) * (width - len(row))
