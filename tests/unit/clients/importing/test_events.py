"""Rows of a file as events: times and zones, numbers, columns."""

from zoneinfo import ZoneInfo

import pytest

from waybill.importing import times
from waybill.importing.columns import Reading, columns_of, ignored_columns, missing_columns
from waybill.importing.errors import InvalidRow, InvalidTime
from waybill.importing.events import event_of
from waybill.importing.times import DateOrder, instant_of, zone_of

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
        ("9999-12-31 23:59", MEXICO, times.NO_DATE),  # in UTC it is in the year 10000
        ("0001-01-01 00:00", ZoneInfo("Asia/Tokyo"), times.NO_DATE),
        ("08/03/2026 02:30", NEW_YORK, times.SKIPPED),
        ("01/11/2026 01:30", NEW_YORK, times.REPEATED),
        ("", MEXICO, times.NO_TIME),
    ],
)
def test_a_time_that_is_not_one_instant_says_why(text: str, zone: ZoneInfo, reason: str) -> None:
    with pytest.raises(InvalidTime) as error:
        instant_of(text, zone, DateOrder.DAY_FIRST)
    assert str(error.value) == reason


def test_a_year_of_two_digits_is_of_this_century_and_one_of_four_is_itself() -> None:
    read = [instant_of(f"02/01/{year} 10:00Z", None, DateOrder.DAY_FIRST) for year in ("26", "0026")]
    assert read == ["2026-01-02T10:00:00+00:00", "0026-01-02T10:00:00+00:00"]


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
