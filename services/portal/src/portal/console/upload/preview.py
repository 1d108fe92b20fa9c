"""The first rows of a file as they are understood, before anything is sent."""

from collections.abc import Callable
from typing import Final

from domain.values import value
from waybill.importing.columns import Reading, ignored_columns, missing_columns
from waybill.importing.errors import InvalidRow
from waybill.importing.events import Json, event_of
from waybill.importing.tables import Table

FIRST_ROWS: Final = 10


@value(kw_only=True)
class PreviewRow:
    """A row as it is understood.

    Attributes:
        number: the first row below the header is 1.
        what: the status or the checkpoint.
        is_checkpoint: it is the latter.
        timestamp: RFC 3339; None if it cannot be read.
        place: address or coordinates.
        problem: why the row cannot be sent; empty: it can.
    """

    number: int
    tracking_number: str
    what: str
    is_checkpoint: bool
    timestamp: str | None
    source: str
    place: str
    notes: str
    problem: str


@value(kw_only=True)
class Preview:
    """A file before it is sent.

    Attributes:
        columns: those that are read.
        ignored: those that are not.
        missing: those that it needs and does not have.
        faulty: number of rows that cannot be sent as they are.
        first_faulty: the first of them, beyond the first rows.
    """

    columns: tuple[str, ...]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]
    rows: tuple[PreviewRow, ...]
    total: int
    faulty: int
    first_faulty: tuple[PreviewRow, ...]


def preview_of(table: Table, reading: Reading, translate: Callable[[str], str]) -> Preview:
    """Return what a file says, as it is understood."""
    rows = [_row(number, row, reading, translate) for number, row in enumerate(table.rows, start=1)]
    faulty = [row for row in rows if row.problem]
    return Preview(
        columns=tuple(reading.columns),
        ignored=ignored_columns(table.header),
        missing=missing_columns(reading.columns, has_source=bool(reading.source)),
        rows=tuple(rows[:FIRST_ROWS]),
        total=len(rows),
        faulty=len(faulty),
        first_faulty=tuple(row for row in faulty if row.number > FIRST_ROWS)[:FIRST_ROWS],
    )


def _row(number: int, row: tuple[str, ...], reading: Reading, translate: Callable[[str], str]) -> PreviewRow:
    event, problem = _event_or_problem(row, reading, translate)
    checkpoint = reading.cell(row, "checkpoint")
    return PreviewRow(
        number=number,
        tracking_number=reading.cell(row, "tracking_number"),
        what=checkpoint or reading.cell(row, "status"),
        is_checkpoint=bool(checkpoint),
        timestamp=event.get("timestamp"),
        source=reading.cell(row, "source") or reading.source,
        place=_place(row, reading),
        notes=reading.cell(row, "notes"),
        problem=problem,
    )


def _event_or_problem(
    row: tuple[str, ...], reading: Reading, translate: Callable[[str], str]
) -> tuple[Json, str]:
    try:
        return event_of(row, reading), ""
    except InvalidRow as error:
        return {}, f"{error.column} {translate(error.reason)}"


def _place(row: tuple[str, ...], reading: Reading) -> str:
    address = reading.cell(row, "location_address")
    position = (reading.cell(row, f"location_{axis}") for axis in ("lat", "lng"))
    return address or ", ".join(filter(None, position))
