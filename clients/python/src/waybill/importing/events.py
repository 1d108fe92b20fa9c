"""Rows of a file as events, as POST /events takes them."""

from collections.abc import Sequence
from typing import Any, Final

from waybill.importing.columns import Reading, name_of
from waybill.importing.errors import InvalidRow, InvalidTime, SkippedRow
from waybill.importing.numbers import number_of
from waybill.importing.times import instant_of
from waybill.models.common import REPORTABLE

Json = dict[str, Any]

SKIP: Final = "skip"
"""Word of a layout for rows that are not sent."""

EMPTY: Final = "is empty"
NO_SUCH_STATUS: Final = "is not in the statuses of the layout"

_LOCATION: Final = "location_"
_NUMBERS: Final = ("lat", "lng")


def event_of(row: Sequence[str], reading: Reading) -> Json:
    """Return a row as an event; what is left to say about it the API says.

    Raises:
        InvalidRow: a time, a number or a status cannot be read.
        SkippedRow: the layout leaves its status out.
    """
    event: Json = {}
    location: Json = {}
    for name in (*reading.columns, *reading.constants):
        text = reading.cell(row, name)
        if not text:
            continue
        if name.startswith(_LOCATION):
            part = name.removeprefix(_LOCATION)
            location[part] = number_of(name, text) if part in _NUMBERS else text
        elif name == "timestamp":
            event[name] = time_of(name, text, reading)
        elif name == "status":
            event |= _status(text, reading)
        else:
            event[name] = text
    if location:
        event["location"] = location
    if reading.source:
        event.setdefault("source", reading.source)
    return event


def dated_event_of(row: Sequence[str], reading: Reading) -> Json:
    """Return a row as an event, which is never taken to have happened now.

    Raises:
        InvalidRow: as of `event_of`, or it has no time.
        SkippedRow: the layout leaves its status out.
    """
    event = event_of(row, reading)
    if "timestamp" not in event:
        raise InvalidRow("timestamp", EMPTY)
    return event


def time_of(column: str, text: str, reading: Reading) -> str:
    """Return the time of a cell as RFC 3339.

    Raises:
        InvalidRow: it is none, or not one instant.
    """
    try:
        return instant_of(text, reading.zone, reading.order)
    except InvalidTime as error:
        raise InvalidRow(column, str(error)) from error


def _status(text: str, reading: Reading) -> Json:
    """Return the status of a cell, or the checkpoint that stands for it in the layout."""
    if not reading.statuses:
        return {"status": name_of(text) if name_of(text) in REPORTABLE else text}
    meant = reading.statuses.get(text.casefold())
    if meant == SKIP:
        raise SkippedRow
    if meant is None and name_of(text) not in REPORTABLE:
        raise InvalidRow("status", NO_SUCH_STATUS)
    status = meant or name_of(text)
    return {"status" if status in REPORTABLE else "checkpoint": status}
