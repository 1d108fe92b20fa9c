"""Rows of an upload as events: times and zones, numbers, columns, results."""

from zoneinfo import ZoneInfo

import pytest

from portal.console.upload import times
from portal.console.upload.preview import preview_of
from portal.console.upload.results import count_sent, rejected_rows, with_result_columns, with_results
from portal.console.upload.rows import (
    InvalidRow,
    Reading,
    columns_of,
    event_of,
    ignored_columns,
    missing_columns,
)
from portal.console.upload.sending import RowResult
from portal.console.upload.tables import Table
from portal.console.upload.times import DateOrder, InvalidTime, instant_of, zone_of

MEXICO = ZoneInfo("America/Mexico_City")
NEW_YORK = ZoneInfo("America/New_York")
HEADER = ("Tracking number", "STATUS", "timestamp", "location.lat", "location_lng", "carrier", "notes")


def reading(header: tuple[str, ...] = HEADER, source: str = "upload") -> Reading:
    return Reading(columns_of(header), MEXICO, DateOrder.DAY_FIRST, source)


@pytest.mark.parametrize(
    ("text", "order", "instant"),
    [
        ("2026-11-30 14:05", "ymd", "2026-11-30T14:05:00-06:00"),
        ("2026-11-30T14:05:09.250", "dmy", "2026-11-30T14:05:09.250000-06:00"),
        ("2026-11-30T14:05:09Z", "ymd", "2026-11-30T14:05:09Z"),
        ("2026-11-30T14:05:09+02:00", "mdy", "2026-11-30T14:05:09+02:00"),
        ("30/11/2026 14:05", "dmy", "2026-11-30T14:05:00-06:00"),
        ("11/30/2026 2:05 PM", "mdy", "2026-11-30T14:05:00-06:00"),
        ("1/2/2026 12:00:07 a. m.", "dmy", "2026-02-01T00:00:07-06:00"),
        ("30.11.2026, 02:05:00 p.\u00a0m.", "dmy", "2026-11-30T14:05:00-06:00"),
        ("2021-07-01 12:00", "ymd", "2021-07-01T12:00:00-05:00"),
    ],
)
def test_a_time_is_read_in_its_zone_and_order(text: str, order: str, instant: str) -> None:
    assert instant_of(text, MEXICO, DateOrder(order)) == instant


@pytest.mark.parametrize(
    ("text", "zone", "reason"),
    [
        ("2026-11-30", MEXICO, times.NO_TIME),
        ("14:05", MEXICO, times.NO_TIME),
        ("11/30/2026 14:05", MEXICO, times.NO_DATE),
        ("31/04/2026 10:00", MEXICO, times.NO_DATE),
        ("30/11/2026 13:05 p.m.", MEXICO, times.NO_DATE),
        ("08/03/2026 02:30", NEW_YORK, times.SKIPPED),
        ("01/11/2026 01:30", NEW_YORK, times.REPEATED),
        ("", MEXICO, times.NO_TIME),
    ],
)
def test_a_time_that_is_not_one_instant_says_why(text: str, zone: ZoneInfo, reason: str) -> None:
    with pytest.raises(InvalidTime) as error:
        instant_of(text, zone, DateOrder.DAY_FIRST)
    assert str(error.value) == reason


@pytest.mark.parametrize("name", ["", "Mexico City", "../etc/passwd", "/etc/passwd", "america/mexico_city\0"])
def test_a_zone_is_one_of_the_database(name: str) -> None:
    assert zone_of(name) is None
    assert zone_of("America/Mexico_City") == MEXICO


def test_a_row_becomes_an_event_as_the_api_takes_it() -> None:
    row = ("99m-1", "picked_up", "30/11/2026 14:05", "19,43", "-99.13", "ACME", "")
    assert event_of(row, reading()) == {
        "tracking_number": "99m-1",
        "status": "picked_up",
        "timestamp": "2026-11-30T14:05:00-06:00",
        "location": {"lat": 19.43, "lng": -99.13},
        "source": "upload",
    }
    assert ignored_columns(HEADER) == ("carrier",)


def test_the_source_of_a_row_goes_before_that_of_the_file() -> None:
    header = ("tracking_number", "checkpoint", "source")
    assert event_of(("99M-1", "on_hold", "hub-1"), reading(header))["source"] == "hub-1"
    assert event_of(("99M-1", "on_hold", ""), reading(header))["source"] == "upload"


@pytest.mark.parametrize("text", ["north", "nan", "inf", "1,2,3"])
def test_a_number_that_is_none_names_its_column(text: str) -> None:
    with pytest.raises(InvalidRow) as error:
        event_of(("99M-1", "picked_up", "2026-11-30 14:05", text, "1", "", ""), reading())
    assert error.value.column == "location_lat"


def test_required_columns_are_named() -> None:
    assert missing_columns(columns_of(HEADER), has_source=True) == ()
    assert missing_columns(columns_of(HEADER), has_source=False) == ("source",)
    assert missing_columns(columns_of(("checkpoint", "source")), has_source=False) == (
        "tracking_number",
        "timestamp",
    )


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
