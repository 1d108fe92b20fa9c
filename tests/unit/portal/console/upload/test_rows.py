"""Rows of an upload: their preview, and the result file."""

from zoneinfo import ZoneInfo

from portal.console.upload.preview import preview_of
from portal.console.upload.results import count_sent, rejected_rows, with_result_columns, with_results
from portal.console.upload.sending import RowResult
from waybill.importing import times
from waybill.importing.columns import Reading, columns_of
from waybill.importing.tables import Table
from waybill.importing.times import DateOrder

MEXICO = ZoneInfo("America/Mexico_City")
HEADER = ("Tracking number", "STATUS", "timestamp", "location.lat", "location_lng", "carrier", "notes")


def reading(header: tuple[str, ...] = HEADER, source: str = "upload") -> Reading:
    return Reading(columns_of(header), MEXICO, DateOrder.DAY_FIRST, source)


def test_the_preview_shows_rows_as_they_are_understood_and_counts_those_that_are_not() -> None:
    good = ("99M-1", "picked_up", "30/11/2026 14:05", "", "", "", "")
    bad = ("99M-2", "picked_up", "yesterday", "", "", "", "")
    preview = preview_of(Table(HEADER, (*[good] * 11, bad)), reading(), str.upper)
    assert (preview.total, preview.faulty, len(preview.rows)) == (12, 1, 10)
    assert preview.rows[0].timestamp == "2026-11-30T14:05:00-06:00"
    [row] = preview.first_faulty
    assert (row.number, row.problem) == (12, f"timestamp {times.NO_TIME.upper()}")


ROWS = (
    ("99M-1", "picked_up", "30/11/2026 14:05", "", "", "", ""),
    ("99M-2", "picked_up", "never", "", "", "", ""),
    ("99M-3", "lost", "30/11/2026 14:05", "", "", "", ""),
)


def test_the_result_file_has_the_outcome_of_each_row_and_can_be_sent_again() -> None:
    table = with_result_columns(Table(HEADER, ROWS))
    results = [RowResult(event_id="evt_1"), RowResult(error=times.NO_TIME, column="timestamp")]
    done = with_results(table, 1, results, str.upper)
    assert [row[-2:] for row in done.rows] == [
        ("", ""),
        ("evt_1", ""),
        ("", f"timestamp {times.NO_TIME.upper()}"),
    ]
    assert (count_sent(done), rejected_rows(done)) == (1, [(3, f"timestamp {times.NO_TIME.upper()}")])
    assert with_result_columns(done) == table
