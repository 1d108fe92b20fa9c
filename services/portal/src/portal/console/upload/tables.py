"""Files of rows: CSV as spreadsheets write it, and XLSX; every cell as text."""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, Final

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from domain.values import value
from portal.web.languages import message

LARGEST_FILE_BYTES: Final = 1_500_000
MOST_ROWS: Final = 10_000
MOST_COLUMNS: Final = 60
LONGEST_CELL: Final = 4_000
MOST_LINES: Final = 5 * MOST_ROWS
"""Lines that are looked at, with empty ones: a sheet may have a million of these."""
LARGEST_UNPACKED_BYTES: Final = 30_000_000

_ZIP: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS: Final = ",;\t"

NOT_A_TABLE: Final = message("This is no file that can be read: choose a CSV or an XLSX file.")
OLD_EXCEL: Final = message("This is a file of an old Excel (.xls) or has a password: save it as XLSX or CSV.")
EMPTY: Final = message("The file has no rows below its first one, which names the columns.")
TOO_MANY_ROWS: Final = message("The file has more than 10,000 rows: split it.")
TOO_WIDE: Final = message("The file has more than 60 columns.")
TOO_LONG_CELL: Final = message("The file has a cell with more than 4,000 characters.")


class UnreadableFile(Exception):
    """A file that cannot be read as a table; its text is a message for the catalogues."""


@value()
class Table:
    """A file of rows.

    Attributes:
        header: names of the columns, as the file has them.
        rows: the others, each as long as the header.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def read_table(content: bytes) -> Table:
    """Read a CSV or XLSX file; its content decides which it is, not its name.

    Raises:
        UnreadableFile: it is neither, or too large.
    """
    if content.startswith(_OLD_EXCEL):
        raise UnreadableFile(OLD_EXCEL)
    rows = _xlsx_rows(content) if content.startswith(_ZIP) else _csv_rows(content)
    return _table_of(rows)


def csv_text(table: Table) -> str:
    """Return a table as CSV."""
    written = io.StringIO()
    csv.writer(written).writerows([table.header, *table.rows])
    return written.getvalue()


def _table_of(rows: Iterator[Sequence[str]]) -> Table:
    header: tuple[str, ...] = ()
    kept: list[tuple[str, ...]] = []
    for number, row in enumerate(rows):
        cells = _bounded(row)
        if number > MOST_LINES or (cells and len(kept) == MOST_ROWS):
            raise UnreadableFile(TOO_MANY_ROWS)
        if not cells:
            continue
        if not header:
            header = cells
        else:
            kept.append(cells)
    if not kept:
        raise UnreadableFile(EMPTY)
    width = max(len(header), *map(len, kept))
    return Table(_widened(header, width), tuple(_widened(row, width) for row in kept))


def _bounded(row: Sequence[str]) -> tuple[str, ...]:
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > MOST_COLUMNS:
        raise UnreadableFile(TOO_WIDE)
    if any(len(cell) > LONGEST_CELL for cell in cells):
        raise UnreadableFile(TOO_LONG_CELL)
    return tuple(cells)


def _widened(row: tuple[str, ...], width: int) -> tuple[str, ...]:
    return row + ("",) * (width - len(row))


def _csv_rows(content: bytes) -> Iterator[Sequence[str]]:
    text = _decoded(content)
    if "\0" in text:
        raise UnreadableFile(NOT_A_TABLE)
    first = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise UnreadableFile(NOT_A_TABLE) from error


def _decoded(content: bytes) -> str:
    """Return the text of a CSV file: UTF-8, or what Excel writes beside it."""
    if content.startswith(_UTF_16):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _xlsx_rows(content: bytes) -> Iterator[Sequence[str]]:
    try:
        _require_moderate(content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # they are the file's own word
        for row in sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True):
            yield [_text_of(cell) for cell in row]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, IndexError, SyntaxError) as error:
        raise UnreadableFile(NOT_A_TABLE) from error


def _require_moderate(content: bytes) -> None:
    """Reject an archive that unpacks to much more than a table of this size has."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST_UNPACKED_BYTES:
            raise UnreadableFile(NOT_A_TABLE)


def _text_of(cell: Any) -> str:  # noqa: ANN401  # whatever a sheet has
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(" ", timespec="milliseconds" if cell.microsecond else "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
