"""Files of an upload: CSV as spreadsheets write it, XLSX, and what only looks like one."""

import csv
import io
import zipfile
from datetime import datetime

import openpyxl
import pytest

from portal.console.upload import tables
from portal.console.upload.carried import NotCarried, pack, unpack
from portal.console.upload.tables import Table, UnreadableFile, csv_text, read_table

ROWS = [
    ["tracking_number", "status", "notes"],
    ["99M-1", "picked_up", "Peña, S.\n2nd line"],
    ["99M-2", "", ""],
]
TABLE = Table(tuple(ROWS[0]), tuple(map(tuple, ROWS[1:])))


def as_csv(delimiter: str = ",") -> str:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter).writerows(ROWS)
    return written.getvalue()


def as_xlsx(rows: list[list[object]]) -> bytes:
    book, written = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(written)
    return written.getvalue()


def repacked(content: bytes, **replaced: bytes) -> bytes:
    """Return an XLSX file with other parts, by the ends of their names."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            other = [body for end, body in replaced.items() if name.endswith(f"{end}.xml")]
            new.writestr(name, other[0] if other else old.read(name))
    return written.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        as_csv().encode(),
        as_csv().encode("utf-8-sig"),
        as_csv(";").encode("cp1252"),
        as_csv("\t").encode("utf-16"),
        as_csv().encode() + b"\r\n,,\r\n\r\n",
        as_xlsx([list(row) for row in ROWS]),
    ],
    ids=["utf-8", "excel utf-8", "excel cp1252", "excel unicode text", "empty lines", "xlsx"],
)
def test_the_same_table_is_read_from_each_kind_of_file(content: bytes) -> None:
    assert read_table(content) == TABLE


def test_cells_of_a_sheet_are_text_as_people_see_it() -> None:
    at = datetime(2026, 11, 30, 14, 5)  # noqa: DTZ001  # a sheet has no zones
    [row] = read_table(as_xlsx([["a", "b", "c", "d", "e"], [at, 19.0, -99.125, "0012", None]])).rows
    assert row == ("2026-11-30 14:05:00", "19", "-99.125", "0012", "")


def test_a_table_as_csv_is_read_as_the_same_table() -> None:
    assert read_table(csv_text(TABLE).encode()) == TABLE


BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (97 + level, b"&%c;" % (96 + level) * 10) for level in range(1, 9))
    + b"]><worksheet><sheetData><row><c t='inlineStr'><is><t>&i;</t></is></c></row></sheetData></worksheet>"
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", tables.EMPTY),
        (b"tracking_number,status\n", tables.EMPTY),
        (b"a,b\n\0,1\n", tables.NOT_A_TABLE),
        (b'a,b\n"1,2\n', tables.NOT_A_TABLE),
        (b"PK\x03\x04 and no more", tables.NOT_A_TABLE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", tables.OLD_EXCEL),
        (b"a\n" + b"1\n" * (tables.MOST_ROWS + 1), tables.TOO_MANY_ROWS),
        (b"a\n" + b"\n" * (tables.MOST_LINES + 1) + b"1\n", tables.TOO_MANY_ROWS),
        (b",".join([b"a"] * (tables.MOST_COLUMNS + 1)) + b"\n", tables.TOO_WIDE),
        (b"a\n" + b"x" * (tables.LONGEST_CELL + 1), tables.TOO_LONG_CELL),
        (repacked(as_xlsx([["a"], [1]]), sheet1=b"<no"), tables.NOT_A_TABLE),
        (repacked(as_xlsx([["a"], [1]]), sheet1=BOMB), tables.NOT_A_TABLE),
        (
            repacked(as_xlsx([["a"], [1]]), sheet1=b" " * (tables.LARGEST_UNPACKED_BYTES + 1)),
            tables.NOT_A_TABLE,
        ),
    ],
)
def test_a_file_that_is_not_read_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile) as error:
        read_table(content)
    assert str(error.value) == reason


def test_a_page_carries_a_table_unchanged() -> None:
    assert unpack(pack(TABLE)) == TABLE


@pytest.mark.parametrize("text", ["", "x", "AAAA", pack(TABLE)[:-8], pack(Table(("a",), (("1", "2"),)))])
def test_what_no_page_has_carried_is_refused(text: str) -> None:
    with pytest.raises(NotCarried):
        unpack(text)
