"""Result files: the same file with the outcome of each row, harmless for spreadsheets, and read again."""

import io
import zipfile
from datetime import datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.importing.columns import Kind
from waybill.importing.errors import UnreadableFile
from waybill.importing.results import Outcome, ResultFile, RowResult, csv_file, without_marks
from waybill.importing.tables import Table, read_table


def result_file(content: bytes, table: Table, kind: Kind, results: list[RowResult]) -> bytes:
    return ResultFile(content, table, kind).with_results(results)


RESULTS = [
    RowResult(Outcome.QUEUED, "evt_1"),
    RowResult(Outcome.REJECTED, error="timestamp is empty"),
]
CSV = 'Reporte de hoy\r\n\r\nguía;nota\r\n 1 ;"a\nb"\r\n\r\n2;Ñ;más\r\nfin\r\n'


def test_a_csv_file_keeps_its_lines_its_cells_and_its_format() -> None:
    content = CSV.encode("cp1252")
    table = read_table(content, score=lambda cells: cells.count("guía"))
    results = [*RESULTS, RowResult(Outcome.NOT_SENT)]
    assert result_file(content, table, Kind.EVENTS, results).decode("cp1252") == (
        "Reporte de hoy\r\n\r\nguía;nota;;waybill_outcome;waybill_event_id;waybill_error\r\n"
        ' 1 ;"a\nb";;queued;evt_1;\r\n\r\n2;Ñ;más;rejected;;timestamp is empty\r\nfin;;;not sent;;\r\n'
    )


def test_results_of_an_earlier_import_are_replaced() -> None:
    content = b"waybill_error,a,waybill_outcome\nold,1,queued\n"
    written = result_file(content, read_table(content), Kind.SHIPMENTS, [RowResult(Outcome.CREATED, "99M-1")])
    assert written == b"waybill_error,a,waybill_outcome,waybill_tracking_number\n,1,created,99M-1\n"


@pytest.mark.parametrize(
    "text", ["=2+3", "+cmd|' /C calc'!A0", "-2+SUM(1)", "@x", "\t=1", "\r=1", "'=x", '=HYPERLINK("x")']
)
def test_a_formula_is_text_in_the_result_and_itself_when_read_again(
    text: str,
) -> None:
    table = Table(("a", "waybill_error"), ((text, text),))
    written = csv_file(table).decode("utf-8-sig")
    assert f"'{text}".replace('"', '""') in written
    assert without_marks(read_table(written.encode())).rows == table.rows or text != text.strip()


@pytest.mark.parametrize("text", ["-99.13", "+52 55 1234", "-99,13", "-12 %", "+1-2", "-", "19.4", "x=1"])
def test_a_number_in_the_result_is_a_number(text: str) -> None:
    written = csv_file(Table(("a",), ((text,),))).decode("utf-8-sig")
    assert written.splitlines()[1].strip('"') == text


def test_a_mark_in_a_file_that_is_no_result_stays() -> None:
    table = read_table(b"a,b\n'=x,1\n")
    assert without_marks(table) == table


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).map(str.strip).filter(bool)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1))
def test_no_text_is_lost_by_a_result_file(rows: list[tuple[str, str]]) -> None:
    table = Table(("a", "waybill_error"), tuple(rows))
    assert without_marks(read_table(csv_file(table))).rows == table.rows


def test_a_workbook_keeps_its_sheets_values_formulas_and_formats() -> None:
    book, before = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    noon = datetime(2026, 11, 30, 12)  # noqa: DTZ001  # a sheet has no zones
    for row in (["Reporte"], [], ["guía", "fecha"], ["0012", noon], ["=1+1", None]):
        sheet.append(row)
    sheet["B4"].number_format = "dd/mm/yyyy hh:mm"
    book.create_sheet("Otra").append([7])
    book.save(before)
    content = before.getvalue()
    table = read_table(content, score=lambda cells: cells.count("guía"))
    results = [RESULTS[0], RowResult(Outcome.REJECTED, error='=HYPERLINK("x")\x01')]
    # openpyxl calculates nothing: the cell with the formula is empty, and so is its row
    written = openpyxl.load_workbook(
        io.BytesIO(result_file(content, table, Kind.EVENTS, results[: len(table.rows)]))
    )
    lines = list(written[sheet.title].iter_rows(values_only=True))
    assert lines[2] == ("guía", "fecha", "waybill_outcome", "waybill_event_id", "waybill_error")
    assert lines[3] == ("0012", noon, "queued", "evt_1", None)
    assert lines[4][0] == "=1+1"
    assert written[sheet.title]["B4"].number_format == "dd/mm/yyyy hh:mm"
    assert written["Otra"]["A1"].value == 7


def test_an_error_that_begins_like_a_formula_is_text_in_a_workbook() -> None:
    book, before = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    for row in (["a"], ["1"]):
        book.active.append(row)
    book.save(before)
    result = RowResult(Outcome.REJECTED, error='=HYPERLINK("x")\x01')
    written = result_file(before.getvalue(), read_table(before.getvalue()), Kind.EVENTS, [result])
    cell = openpyxl.load_workbook(io.BytesIO(written)).worksheets[0]["D2"]
    assert (cell.data_type, cell.value) == ("s", '=HYPERLINK("x")\ufffd')


def test_a_workbook_that_cannot_be_written_is_refused_before_anything_is_sent() -> None:
    book, before = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    for row in (["a"], ["1"]):
        book.active.append(row)
    book.save(before)
    broken = io.BytesIO()
    with zipfile.ZipFile(before) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"<broken" if name == "docProps/core.xml" else old.read(name))
    content = broken.getvalue()
    table = read_table(content)
    with pytest.raises(UnreadableFile, match="No result could be written"):
        ResultFile(content, table, Kind.EVENTS)
