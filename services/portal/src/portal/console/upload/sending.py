"""Sending of rows: parts of a file, each as one batch, and the outcome of each row."""

from collections.abc import Sequence
from typing import Any, Final

from domain.values import value
from portal.console.api import ApiRejected, UserApi
from waybill.importing.columns import Reading
from waybill.importing.errors import InvalidRow
from waybill.importing.events import Json, event_of

ROWS_AT_ONCE: Final = 500
_LENIENT: Final = {"Prefer": "handling=lenient"}
_BATCH: Final = "/events/batch"
_EVENTS: Final = "events"


@value()
class RowResult:
    """The outcome of one row: its event's id, or why there is none.

    Attributes:
        column: the one that is wrong, where the file cannot be read there; `error` is then a message.
    """

    event_id: str = ""
    error: str = ""
    column: str = ""


async def send_rows(api: UserApi, rows: Sequence[tuple[str, ...]], reading: Reading) -> list[RowResult]:
    """Send at most `ROWS_AT_ONCE` rows in one batch, and return the outcome of each.

    Raises:
        ApiUnavailable: none was sent, or it is not known; sending them again is safe.
        LoggedOut: none was sent.
    """
    read = [_read(row, reading) for row in rows]
    events = [each for each in read if not isinstance(each, RowResult)]
    sent = iter(await _send(api, events))
    return [each if isinstance(each, RowResult) else next(sent) for each in read]


def _read(row: tuple[str, ...], reading: Reading) -> Json | RowResult:
    try:
        return event_of(row, reading)
    except InvalidRow as error:
        return RowResult(error=error.reason, column=error.column)


async def _send(api: UserApi, events: Sequence[Json]) -> list[RowResult]:
    if not events:
        return []
    try:
        response = await api.call("POST", _BATCH, body={_EVENTS: list(events)}, headers=_LENIENT)
    except ApiRejected as error:
        return _all_rejected(error, len(events))
    return [_result(each) for each in response.body[_EVENTS]]


def _result(entry: Json) -> RowResult:
    if "event_id" in entry:
        return RowResult(event_id=str(entry["event_id"]))
    return RowResult(error=_problems(entry["index"], entry["details"]))


def _all_rejected(error: ApiRejected, count: int) -> list[RowResult]:
    """Return the outcomes of a batch in which no event is valid: it is rejected as a whole."""
    by_row: dict[int, list[dict[str, Any]]] = {}
    for pointer, text in error.problems:
        row = _row_of(pointer)
        by_row.setdefault(row, []).append({"pointer": pointer, "message": text})
    return [
        RowResult(error=_problems(row, by_row[row]) if row in by_row else error.message)
        for row in range(count)
    ]


def _row_of(pointer: str) -> int:
    steps = pointer.split("/")
    return int(steps[2]) if len(steps) > 2 and steps[2].isdigit() else -1  # noqa: PLR2004


def _problems(row: int, details: Sequence[Json]) -> str:
    """Return the problems of a row, with the names of its fields."""
    place = f"/{_EVENTS}/{row}"
    named = [f"{each['pointer'].removeprefix(place).strip('/')} {each['message']}" for each in details]
    return "; ".join(each.strip().replace("location/", "location_") for each in named)
