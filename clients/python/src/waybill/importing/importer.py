"""Import of a file: read it whole, send its rows, return it with the outcome of each.

imported = FileImport.read(path.read_bytes(), read_layout("", zone="America/Mexico_City"))
for done in imported.send(client):
    print(done, "of", len(imported.results))
result.write_bytes(imported.result())
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from time import monotonic, sleep
from typing import Final

from waybill import Waybill
from waybill.batches import MAX_EVENTS
from waybill.importing.columns import (
    COLUMNS,
    Kind,
    Reading,
    columns_of,
    ignored_columns,
    missing_columns,
    missing_shipment_columns,
    name_of,
)
from waybill.importing.errors import InvalidLayout, InvalidRow, SkippedRow
from waybill.importing.events import Json, dated_event_of
from waybill.importing.layouts import Layout
from waybill.importing.limits import Limits
from waybill.importing.results import Outcome, ResultFile, RowResult, without_marks
from waybill.importing.sending import EventSender, Sender, ShipmentSender, outcomes_of
from waybill.importing.shipments import keys_of, shipment_of
from waybill.importing.tables import Table, read_table
from waybill.importing.times import NO_ORDER, NO_ZONE

NOT_SENT: Final = RowResult(Outcome.NOT_SENT)
PAUSE_S: Final = 0.5
"""Pause before open events are looked up again."""
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_OF_THE_FILE: Final = {
    NO_ZONE: NO_ZONE,
    NO_ORDER: "may begin with the day or the month: say which, with --dates dmy or --dates mdy",
}
"""Problems that every row would have: nothing is sent."""


@dataclass(slots=True)
class FileImport:
    """A file on its way to Waybill.

    Attributes:
        content: of the file.
        table: read from it.
        kind: of its rows.
        reading: way in which the rows were read.
        ignored: columns that are not read.
        repeated: names of columns that the file has twice; the first is read.
        rows: events or shipments by the position of their row in the table, in the order of sending.
        results: the outcome of each row of the table.
    """

    content: bytes = field(repr=False)
    table: Table = field(repr=False)
    kind: Kind
    reading: Reading
    ignored: tuple[str, ...]
    repeated: tuple[str, ...]
    rows: dict[int, Json] = field(repr=False)
    results: list[RowResult] = field(repr=False)

    @classmethod
    def read(cls, content: bytes, layout: Layout, limits: Limits = Limits()) -> "FileImport":  # noqa: B008
        """Read a file and all its rows.

        Raises:
            UnreadableFile: it is no table, or too large.
            InvalidLayout: it lacks a required column, or times have no zone or an unknown order.
        """
        kinds = (layout.kind,) if layout.kind else tuple(Kind)
        table = without_marks(
            read_table(content, limits, layout.options, lambda cells: _score(cells, layout, kinds))
        )
        kind = max(kinds, key=lambda each: len(columns_of(table.header, COLUMNS[each], layout.columns)))
        reading = _reading_of(table, kind, layout)
        rows, results = _read_rows(table, kind, reading)
        known = COLUMNS[kind]
        return cls(
            content,
            table,
            kind,
            reading,
            ignored_columns(table.header, known, layout.columns),
            _repeated(table.header, reading),
            rows,
            results,
        )

    @property
    def counts(self) -> Counter[Outcome]:
        """Number of rows of each outcome."""
        return Counter(result.outcome for result in self.results)

    @property
    def invalid(self) -> list[tuple[int, str]]:
        """Line, from 1, and error of each row that was rejected."""
        return [
            (line + 1, result.error)
            for line, result in zip(self.table.lines, self.results, strict=True)
            if result.outcome is Outcome.REJECTED
        ]

    def send(self, client: Waybill) -> Iterator[int]:
        """Send the rows, and yield after each part how many rows have an outcome.

        Ended early, by an error or Ctrl-C, the results say what is done: rows of the part under way are
        `unknown`, later ones `not sent`. Sending the file again repeats nothing.

        Raises:
            WaybillError: Waybill did not answer, or does not let this user in.
        """
        sender: Sender = EventSender(client) if self.kind is Kind.EVENTS else ShipmentSender(client)
        keys = dict(zip(self.rows, self._keys(), strict=True))
        waiting = list(self.rows)
        for start in range(0, len(waiting), sender.rows_at_once):
            part = waiting[start : start + sender.rows_at_once]
            for at in part:
                self.results[at] = RowResult(Outcome.UNKNOWN, error="no answer: import the file again")
            sender.send([(self.rows[at], keys[at]) for at in part], partial(self._record, part))
            yield len(self.results) - self.counts[Outcome.NOT_SENT]

    def follow(self, client: Waybill, seconds: float) -> Iterator[int]:
        """Look up what became of the queued events, and yield how many are still open, again and again.

        Args:
            client: of the user who sent them, or an admin.
            seconds: after which open ones stay `queued`.

        Raises:
            WaybillError: Waybill did not answer.
        """
        until = monotonic() + seconds
        is_open = self.kind is Kind.EVENTS
        waiting = [
            at for at, result in enumerate(self.results) if is_open and result.outcome is Outcome.QUEUED
        ]
        while waiting and monotonic() < until:
            for start in range(0, len(waiting), MAX_EVENTS):
                part = waiting[start : start + MAX_EVENTS]
                found = outcomes_of(client, [self.results[at].id for at in part])
                for at, result in zip(part, found, strict=True):
                    self.results[at] = result or self.results[at]
                yield self.counts[Outcome.QUEUED]
            waiting = [at for at in waiting if self.results[at].outcome is Outcome.QUEUED]
            sleep(PAUSE_S if waiting else 0)

    def open_result(self) -> ResultFile:
        """Open the result file: before anything is sent, so that it surely can be written.

        Raises:
            UnreadableFile: it cannot.
        """
        return ResultFile(self.content, self.table, self.kind)

    def result(self) -> bytes:
        """Return the result file.

        Raises:
            UnreadableFile: it cannot be written; `open_result` says so earlier.
        """
        return self.open_result().with_results(self.results)

    def _record(self, part: Sequence[int], position: int, result: RowResult) -> None:
        self.results[part[position]] = result

    def _keys(self) -> list[str]:
        if self.kind is Kind.EVENTS:
            return [""] * len(self.rows)
        return keys_of(self.rows.values())


def _score(cells: Sequence[str], layout: Layout, kinds: Sequence[Kind]) -> int:
    """Return how many known columns a line would name as the header."""
    return max(len(columns_of(cells, COLUMNS[kind], layout.columns)) for kind in kinds)


def _reading_of(table: Table, kind: Kind, layout: Layout) -> Reading:
    known = COLUMNS[kind]
    columns = columns_of(table.header, known, layout.columns)
    names = {name_of(each) for each in table.header}
    for name, wanted in layout.columns.items():
        lacking = [each for each in wanted if name_of(each) not in names]
        if lacking and name in known:
            raise InvalidLayout(f"the file has no column {lacking[0]!r}, which the layout names for {name}")
    present = {*columns, *layout.constants}
    missing = (
        missing_columns(present, has_source=bool(layout.source))
        if kind is Kind.EVENTS
        else missing_shipment_columns(present)
    )
    if missing:
        raise InvalidLayout(
            f"the file, read as {kind.value}, has no column for {', '.join(missing)}; it has "
            f"{', '.join(filter(None, table.header))}. A layout says which column is which"
        )
    return Reading(
        columns,
        layout.zone,
        layout.dates,
        layout.source,
        layout.statuses,
        {name: text for name, text in layout.constants.items() if name in known and name not in columns},
    )


def _repeated(header: Sequence[str], reading: Reading) -> tuple[str, ...]:
    names = Counter(name_of(cell) for cell in header)
    read = {at for positions in reading.columns.values() for at in positions}
    return tuple(header[at] for at in sorted(read) if names[name_of(header[at])] > 1)


def _read_rows(table: Table, kind: Kind, reading: Reading) -> tuple[dict[int, Json], list[RowResult]]:
    """Return the rows that can be sent by their positions, in order of their times, and the first results.

    Carriers list the newest first. Waybill judges events in the order in which they come.
    """
    rows: dict[int, Json] = {}
    results = [NOT_SENT] * len(table.rows)
    read = dated_event_of if kind is Kind.EVENTS else shipment_of
    for at, row in enumerate(table.rows):
        try:
            rows[at] = read(row, reading)
        except SkippedRow:
            results[at] = RowResult(Outcome.SKIPPED)
        except InvalidRow as error:
            if error.reason in _OF_THE_FILE:
                line, text = table.lines[at] + 1, reading.cell(row, error.column)
                raise InvalidLayout(
                    f"line {line}: {error.column} {text!r} {_OF_THE_FILE[error.reason]}"
                ) from error
            results[at] = RowResult(Outcome.REJECTED, error=str(error))
    return dict(sorted(rows.items(), key=lambda each: _when(each[1]))), results


def _when(row: Json) -> datetime:
    try:
        return datetime.fromisoformat(row["timestamp"])
    except (KeyError, ValueError):
        return _LONG_AGO
