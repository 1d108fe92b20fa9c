"""XLSX files: read by calamine, after a look at what they unpack to; results are written by openpyxl."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from waybill.importing.csv_files import NOT_A_TABLE
from waybill.importing.errors import InvalidLayout, UnreadableFile, message
from waybill.importing.limits import Limits

if TYPE_CHECKING:
    from openpyxl import Workbook

TOO_MANY_ROWS: Final = message("The file has more than {most} rows: split it.")
TOO_WIDE: Final = message("The file has more than {most} columns.")
NOT_COPIED: Final = (
    "No result could be written into this workbook: save it in a spreadsheet again, or as CSV."
)

_CELL: Final = re.compile(r"([A-Za-z]+)([0-9]+)")
_SHEET: Final = b"sheetData"
"""Element that every sheet has; calamine finds cells nowhere else."""
_BOOK: Final = "xl/workbook.xml"
_BROKEN: Final = (
    *(CalamineError, zipfile.BadZipFile, zlib.error),
    *(EOFError, LookupError, NotImplementedError, OSError, RuntimeError, ValueError),
)
"""Errors of a damaged, encrypted or unsupported archive."""
_LONGEST_STEP: Final = 1 << 20

Cell = str | float | bool | date | time | datetime | object


@dataclass(frozen=True, slots=True)
class XlsxFormat:
    """Way in which an XLSX file is written.

    Attributes:
        sheet: name of the one that is read.
        others: names of the other sheets.
    """

    sheet: str
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say the format, for people."""
        left_out = f"; other sheets are not read: {', '.join(self.others)}" if self.others else ""
        return f"XLSX, sheet {self.sheet}{left_out}"


def read_xlsx(
    content: bytes, limits: Limits, *, sheet: str | None = None
) -> tuple[XlsxFormat, Iterator[Sequence[str]]]:
    """Return the format of an XLSX file, and its rows from the first on, as text.

    Args:
        content: of the file.
        limits: of what is unpacked, and of the area that cells lie in.
        sheet: its name; None: the first one.

    Raises:
        UnreadableFile: it is no XLSX file, or too large.
        InvalidLayout: it has no such sheet.
    """
    try:
        _require_moderate(content, limits)
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        name = _named(book.sheet_names, sheet)
        rows = _rows(book.get_sheet_by_name(name))
    except (UnreadableFile, InvalidLayout):
        raise
    except _BROKEN as error:
        raise UnreadableFile(NOT_A_TABLE) from error
    others = tuple(each for each in book.sheet_names if each != name)
    return XlsxFormat(name, others), iter(rows)


def open_to_write(content: bytes) -> "Workbook":
    """Return the workbook of a file, with its values, formulas and formats.

    Of charts and pictures, openpyxl keeps those it knows.

    Raises:
        UnreadableFile: openpyxl cannot read it, so no result can be written.
    """
    # A fifth of the start of every command: imported only when it is used.
    import openpyxl  # noqa: PLC0415

    try:
        return openpyxl.load_workbook(io.BytesIO(content))
    except (*_BROKEN, AttributeError, SyntaxError, TypeError) as error:
        raise UnreadableFile(NOT_COPIED) from error


def write_xlsx(book: "Workbook", sheet: str, cells: Mapping[tuple[int, int], str]) -> bytes:
    """Return a workbook as a file, with texts in some cells, by row and column from 0.

    A text that begins like a formula is a text.
    """
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE as illegal  # noqa: N811, PLC0415  # see `open_to_write`

    lines = book[sheet]
    for (row, column), text in cells.items():
        cell = lines.cell(row + 1, column + 1)
        cell.value = illegal.sub("\ufffd", text)
        if text:
            cell.data_type = "s"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _named(names: Sequence[str], wanted: str | None) -> str:
    if wanted is not None and wanted not in names:
        raise InvalidLayout(f"the file has no sheet {wanted!r}; it has {', '.join(map(repr, names))}")
    return names[0] if wanted is None else wanted


def _rows(sheet: CalamineSheet) -> list[list[str]]:
    rows = sheet.to_python(skip_empty_area=False)
    with_times = {column for row in rows for column, cell in enumerate(row) if isinstance(cell, datetime)}
    return [[_text_of(cell, at in with_times) for at, cell in enumerate(row)] for row in rows]


def _require_moderate(content: bytes, limits: Limits) -> None:
    """Reject an archive that unpacks to much more than a table of this size has.

    Each part is unpacked here once, in steps: what the archive says of itself may be a lie.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if _BOOK not in archive.namelist():
            raise UnreadableFile(NOT_A_TABLE)
        left = limits.unpacked_bytes
        for entry in archive.infolist():
            area = _SheetArea(limits)
            with archive.open(entry) as part:
                while step := part.read(_LONGEST_STEP):
                    left -= len(step)
                    if left < 0:
                        raise UnreadableFile(NOT_A_TABLE)
                    area.feed(step)
            area.feed(b"", is_last=True)


def _text_of(cell: Cell, among_times: bool) -> str:  # noqa: FBT001  # of the cell's column
    """Return a cell as text.

    calamine gives midnight as a date; in a column that has times it is one of these.
    """
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, datetime):
        return cell.isoformat(" ", timespec="milliseconds" if cell.microsecond else "seconds")
    if isinstance(cell, date):
        return f"{cell.isoformat()} 00:00:00" if among_times else cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


class _SheetArea:
    """Check of one part of a workbook, which comes in steps; other parts than sheets pass.

    Calamine holds the area of a sheet's cells in memory as a whole, so a lonely cell in the last corner would
    take hundreds of gigabytes, and end the process. The place of a cell is its reference, or is counted from
    the cell and the row before it.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._row = 0
        self._column = 0
        self._is_xml = True
        self._is_sheet = False
        self._tail = b""
        self._parser = expat.ParserCreate("utf-8")  # as calamine reads it, whatever the part says
        self._parser.StartElementHandler = self._on_element
        self._parser.StartDoctypeDeclHandler = self._on_doctype

    def feed(self, step: bytes, *, is_last: bool = False) -> None:
        """Look at the next bytes.

        Raises:
            UnreadableFile: cells lie outside of the limits, or a sheet is no XML.
            ValueError: a reference of a row is no number.
        """
        self._is_sheet = self._is_sheet or _SHEET in self._tail + step
        self._tail = step[-len(_SHEET) :]
        if self._is_xml:
            try:
                self._parser.Parse(step, is_last)
            except expat.ExpatError:
                self._is_xml = False
        if self._is_sheet and not self._is_xml:
            raise UnreadableFile(NOT_A_TABLE)  # calamine is more lenient, and might find other cells

    def _on_doctype(self, *_declared: object) -> None:
        raise UnreadableFile(NOT_A_TABLE)

    def _on_element(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "row":
            self._column = 0
            self._row = max(self._row + 1, int(attributes.get("r", "0")))
        elif name == "c" and self._row:
            self._place(attributes.get("r"))
        else:
            return
        if self._row > self._limits.lines:
            raise UnreadableFile(TOO_MANY_ROWS, most=self._limits.rows)
        if self._column > self._limits.columns:
            raise UnreadableFile(TOO_WIDE, most=self._limits.columns)

    def _place(self, reference: str | None) -> None:
        self._column += 1
        if reference is None:
            return
        found = _CELL.fullmatch(reference)
        if found is None:
            raise UnreadableFile(NOT_A_TABLE)
        self._row = max(self._row, int(found[2]))
        self._column = max(self._column, _column_of(found[1]))


def _column_of(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
