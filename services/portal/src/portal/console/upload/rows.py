"""Rows of a file as events: columns have the names of the API's fields."""

from collections.abc import Mapping
from math import isfinite, nan
from typing import Any, Final
from zoneinfo import ZoneInfo

from domain.values import value
from portal.console.upload.times import DateOrder, InvalidTime, instant_of
from portal.web.languages import message

Json = dict[str, Any]

EVENT_ID: Final = "waybill_event_id"
ERROR: Final = "waybill_error"
RESULTS: Final = (EVENT_ID, ERROR)
"""Columns that a result file has beside those of the file."""

COLUMNS: Final = (
    "tracking_number",
    "status",
    "checkpoint",
    "timestamp",
    "source",
    "location_lat",
    "location_lng",
    "location_address",
    "notes",
    "signed_by",
)
_LOCATION: Final = "location_"
_NUMBERS: Final = ("lat", "lng")

NO_NUMBER: Final = message("is no number")


@value()
class Reading:
    """Way of reading a file.

    Attributes:
        columns: positions of the known columns, by their names.
        zone: of times without an offset.
        source: of rows without one; empty: there is none.
    """

    columns: Mapping[str, int]
    zone: ZoneInfo
    order: DateOrder
    source: str = ""

    def cell(self, row: tuple[str, ...], name: str) -> str:
        """Return a cell of a row; empty where the file has no such column."""
        position = self.columns.get(name)
        return "" if position is None else row[position]


class InvalidRow(ValueError):
    """A row that is no event.

    Attributes:
        column: the one that is wrong.
        reason: a message for the catalogues.
    """

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column} {reason}")
        self.column = column
        self.reason = reason


def columns_of(header: tuple[str, ...]) -> dict[str, int]:
    """Return the positions of the known columns; of two with one name, the first counts."""
    names = [_name_of(cell) for cell in header]
    return {name: names.index(name) for name in COLUMNS if name in names}


def ignored_columns(header: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that are not read; they stay in the result file."""
    known = {*COLUMNS, *RESULTS}
    return tuple(cell for cell in header if cell and _name_of(cell) not in known)


def missing_columns(columns: Mapping[str, int], *, has_source: bool) -> tuple[str, ...]:
    """Return the required columns that a file lacks; `status` stands for itself or `checkpoint`."""
    missing = [name for name in ("tracking_number", "timestamp") if name not in columns]
    if not {"status", "checkpoint"} & set(columns):
        missing.append("status")
    if "source" not in columns and not has_source:
        missing.append("source")
    return tuple(missing)


def event_of(row: tuple[str, ...], reading: Reading) -> Json:
    """Return a row as an event, as POST /events takes it; what is left to say about it the API says.

    Raises:
        InvalidRow: a time or a number cannot be read.
    """
    event: Json = {}
    location: Json = {}
    for name in reading.columns:
        text = reading.cell(row, name)
        if not text:
            continue
        if name.startswith(_LOCATION):
            part = name.removeprefix(_LOCATION)
            location[part] = _number(name, text) if part in _NUMBERS else text
        elif name == "timestamp":
            event[name] = _instant(text, reading)
        else:
            event[name] = text
    if location:
        event["location"] = location
    if reading.source:
        event.setdefault("source", reading.source)
    return event


def _instant(text: str, reading: Reading) -> str:
    try:
        return instant_of(text, reading.zone, reading.order)
    except InvalidTime as error:
        raise InvalidRow("timestamp", str(error)) from error


def _number(column: str, text: str) -> float:
    try:
        number = float(text.replace(",", ".", 1))
    except ValueError:
        number = nan
    if not isfinite(number):
        raise InvalidRow(column, NO_NUMBER)
    return number


def _name_of(cell: str) -> str:
    return "_".join(cell.casefold().replace(".", "_").replace("-", "_").split())
