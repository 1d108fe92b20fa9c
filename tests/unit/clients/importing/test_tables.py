"""Files of an upload: CSV as spreadsheets write it, XLSX, and what only looks like one."""

import csv
import io
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.importing import tables
from waybill.importing.columns import columns_of
from waybill.importing.csv_files import NOT_A_TABLE
from waybill.importing.errors import InvalidLayout, UnreadableFile
from waybill.importing.limits import Limits
from waybill.importing.results import csv_file
from waybill.importing.tables import ReadOptions, Table, read_table
from waybill.importing.xlsx_files import TOO_MANY_ROWS, TOO_WIDE

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


def repacked(content: bytes, without: str = "nothing", **replaced: bytes) -> bytes:
    """Return an XLSX file with other parts, or without one, by the ends of their names."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name.endswith(without):
                continue
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
    assert read_table(csv_file(TABLE)) == TABLE


def cell_at(place: str) -> bytes:
    """Return an XLSX file whose second cell is far away."""
    cells = "".join(f'<c r="{each}"><v>1</v></c>' for each in ("A1", place))
    return repacked(as_xlsx([["a"], [1]]), sheet1=SHEET % cells.encode())


SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b"<row>%s</row></sheetData></worksheet>"
)
BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (97 + level, b"&%c;" % (96 + level) * 10) for level in range(1, 9))
    + b"]><worksheet><sheetData><row><c t='inlineStr'><is><t>&i;</t></is></c></row></sheetData></worksheet>"
)


WORKBOOK = as_xlsx([["a", "b"], [1, "x"], [True, 2.5]])
SMALL = Limits(file_bytes=9_000, unpacked_bytes=40_000, rows=10, columns=6, cells=30, cell_characters=40)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", tables.EMPTY),
        (b"tracking_number,status\n", tables.EMPTY),
        (b"a,b\n\0,1\n", NOT_A_TABLE),
        (b'a,b\n"1,2\n', NOT_A_TABLE),
        (b"PK\x03\x04 and no more", NOT_A_TABLE),
        (repacked(as_xlsx([["a"], [1]]), without="workbook.xml"), NOT_A_TABLE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", tables.OLD_EXCEL),
        (b"a\n" + b"1\n" * 11, TOO_MANY_ROWS.format(most=10)),
        (b"a\n" + b"\n" * 50 + b"1\n", TOO_MANY_ROWS.format(most=10)),
        (b"a,b,c,d\n" + b"1\n" * 9, tables.TOO_MANY_CELLS.format(most=30)),
        (b"a,b,c,d,e,f,g\n", TOO_WIDE.format(most=6)),
        (b"a\n" + b"x" * 41, tables.TOO_LONG_CELL.format(most=40)),
        (b"a\n" + b"x" * 9_000, tables.TOO_MANY_BYTES.format(most="9,000")),
        (repacked(as_xlsx([["a"], [1]]), sheet1=b"<no"), NOT_A_TABLE),
        (repacked(as_xlsx([["a"], [1]]), sheet1=BOMB), NOT_A_TABLE),
        (repacked(as_xlsx([["a"], [1]]), sheet1=b" " * 40_000), NOT_A_TABLE),
        (cell_at("A51"), TOO_MANY_ROWS.format(most=10)),
        (cell_at("G1"), TOO_WIDE.format(most=6)),
        (cell_at("XFD1048576"), TOO_MANY_ROWS.format(most=10)),
    ],
)
def test_a_file_that_is_not_read_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile) as error:
        read_table(content, SMALL)
    assert str(error.value) == reason


@given(st.data())
def test_a_damaged_workbook_is_a_table_or_unreadable(data: st.DataObject) -> None:
    content = bytearray(WORKBOOK)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_table(bytes(content))
    except UnreadableFile:
        return


READER = """
import resource, sys
from pathlib import Path
from waybill.importing.tables import read_table
resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))
try:
    read_table(Path(sys.argv[1]).read_bytes())
except ValueError as error:
    print(error)
"""


FAR = {
    "its reference": b'<c r="XFD1048576"><v>1</v></c>',
    "a reference beyond 32 bits, which wraps": b'<c r="XFD4296015872"><v>1</v></c>',
    "a reference of many letters": b'<c r="AAAXFD2"><v>1</v></c></row><row r="9"><c r="A249999"><v>1</v></c>',
    "the cells before it": b"<c/>" * 16_383 + b'<c><v>1</v></c></row><row r="200000"><c><v>1</v></c>',
    "the rows before it": b"</row>" + b"<row/>" * 2_000_000 + b'<row><c r="KN1"><v>1</v></c><c><v>1</v></c>',
    "a sheet that is no XML": b'<c r="A1" wrong><v>1</v></c></row><row r="1048576"><c r="XFD1"><v>1</v></c>',
}


@pytest.mark.parametrize("far", FAR.values(), ids=FAR.keys())
def test_cells_lie_in_an_area_of_bounded_size(far: bytes, tmp_path: Path) -> None:
    (tmp_path / "far.xlsx").write_bytes(repacked(as_xlsx([["a"], [1]]), sheet1=SHEET % far))
    command = [sys.executable, "-c", READER, str(tmp_path / "far.xlsx")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # calamine would abort there
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(("The file has more than", "This is no file")), ran.stdout


def test_a_workbook_with_a_dtd_is_refused() -> None:
    sheet = b'<!DOCTYPE x [<!ENTITY a "1">]>' + SHEET % b'<c r="A1"><v>&a;</v></c>'
    with pytest.raises(UnreadableFile, match="no file that can be read"):
        read_table(repacked(as_xlsx([["a"], [1]]), sheet1=sheet))


def test_an_archive_that_unpacks_to_too_much_is_refused() -> None:
    filled = SHEET % (b'<c r="A1"><v>1</v></c>' + b" " * 40_000)
    content = repacked(as_xlsx([["a"], [1]]), sheet1=filled)
    assert len(content) < SMALL.file_bytes
    with pytest.raises(UnreadableFile, match="no file that can be read"):
        read_table(content, SMALL)


def test_an_archive_that_lies_about_its_size_is_not_unpacked() -> None:
    honest = repacked(as_xlsx([["a"], [1]]), sheet1=b" " * 100_000)
    lying = honest.replace((100_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != honest
    with pytest.raises(UnreadableFile):
        read_table(lying, SMALL)


def test_the_header_is_the_line_that_names_most_columns() -> None:
    content = b"Salida a ruta\nRuta: Norte,,\n\nx,tracking_number,status\n1,99M-1,delivered\n"
    table = read_table(content, score=lambda cells: len(columns_of(cells)))
    assert table.header == ("x", "tracking_number", "status")
    assert (table.header_line, table.lines) == (3, (4,))


def test_midnight_is_a_time_in_a_column_of_times_and_a_date_in_one_of_dates() -> None:
    noon, midnight = datetime(2026, 11, 30, 12), datetime(2026, 11, 30)  # noqa: DTZ001  # a sheet has no zones
    rows = read_table(as_xlsx([["at", "on"], [noon, midnight], [midnight, midnight]])).rows
    assert rows == (("2026-11-30 12:00:00", "2026-11-30"), ("2026-11-30 00:00:00", "2026-11-30"))


def test_a_sheet_is_named_or_the_first() -> None:
    book, written = openpyxl.Workbook(), io.BytesIO()
    for name in ("Resumen", "Envíos"):
        book.create_sheet(name).append(["a"])
        book[name].append([name])
    book.remove(book.worksheets[0])
    book.save(written)
    assert read_table(written.getvalue()).rows == (("Resumen",),)
    assert read_table(written.getvalue(), options=ReadOptions(sheet="Envíos")).rows == (("Envíos",),)
    with pytest.raises(InvalidLayout, match="'Hoja1'; it has 'Resumen', 'Envíos'"):
        read_table(written.getvalue(), options=ReadOptions(sheet="Hoja1"))
