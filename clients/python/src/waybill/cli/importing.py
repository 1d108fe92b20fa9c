"""`import`: a CSV or XLSX file of events or shipments is sent, and returned with the outcome of each row."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import FrameType
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from waybill.cli.context import CliContext
from waybill.cli.errors import CommandFailed, Interrupted, Misused, Unfinished, failure_of
from waybill.cli.options import expanded
from waybill.errors import WaybillError
from waybill.importing import FileImport, InvalidLayout, Layout, Limits, Outcome, UnreadableFile, read_layout
from waybill.importing.csv_files import CsvFormat

SHOWN_ERRORS: Final = 10

Handler = signal.Handlers | Callable[[int, FrameType | None], Any]

File = Annotated[
    Path,
    typer.Argument(help="CSV or XLSX; its first row names the columns.", metavar="FILE", show_default=False),
]


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Facts about a file; they go before those of its layout."""

    zone: Annotated[
        str | None,
        typer.Option(help="Time zone of times without an offset.", metavar="America/Mexico_City"),
    ] = None
    dates: Annotated[
        str | None,
        typer.Option(
            help="Order of dates: ymd (always read), dmy or mdy; unix: seconds since 1970.", metavar="ORDER"
        ),
    ] = None
    source: Annotated[str | None, typer.Option(help="Source of events whose row names none.")] = None
    kind: Annotated[str | None, typer.Option(help="events or shipments; by default the columns say.")] = None
    layout: Annotated[
        Path | None,
        typer.Option(help="TOML file that says which column and which status is which.", metavar="FILE"),
    ] = None
    encoding: Annotated[
        str | None, typer.Option(help="Of a CSV file, such as cp1252; by default it is found.")
    ] = None
    separator: Annotated[
        str | None, typer.Option(help="Of a CSV file: one character, or tab; by default it is found.")
    ] = None
    sheet: Annotated[str | None, typer.Option(help="Of an XLSX file; by default the first.")] = None

    def read(self) -> Layout:
        """Return the layout, with these facts in it.

        Raises:
            InvalidLayout: the layout, or one of the facts, has a mistake.
            Misused: the layout's file cannot be read.
        """
        text = "" if self.layout is None else _read(self.layout).decode("utf-8-sig", errors="replace")
        facts = ("zone", "dates", "source", "kind", "encoding", "separator", "sheet")
        return read_layout(text, **{name: getattr(self, name) for name in facts})


@dataclass(frozen=True, slots=True)
class Handling:
    """Way of handling the rows."""

    output: Annotated[
        Path | None, typer.Option(help="Result file; by default FILE with .result before its ending.")
    ] = None
    wait: Annotated[
        float,
        typer.Option(min=0, max=3600, help="Seconds to wait for what becomes of the events after sending."),
    ] = 0
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read the file and say what it has.")] = (
        False
    )


@expanded
def import_file(context: CliContext, file: File, facts: FileFacts, handling: Handling) -> None:
    """Send the rows of a CSV or XLSX file, and write the same file with the outcome of each.

    Columns have the names of the API's fields, or a layout says which is which. Repeating an import is safe:
    events are the same by shipment, source and time, shipments by their reference. Interrupted, the result
    file says what is done; import FILE again to go on.
    """
    try:
        imported = FileImport.read(_read(file), facts.read())
        _say(context, file, imported)
        if handling.dry_run:
            _end(context, imported, None)
            return
        written = imported.open_result()
    except (UnreadableFile, InvalidLayout) as error:
        raise Misused(f"{file}: {error}") from error
    result = handling.output or _beside(file, imported)
    if result.resolve() == file.resolve():
        raise Misused(f"{result} is the file that is imported: name another --output")
    temporary = _opened_beside(result)
    shutil.copymode(file, temporary)
    try:
        stopped = _send(context, imported, handling.wait)
    finally:
        with _on_signals(signal.SIG_IGN):  # a second Ctrl-C would lose what is done
            _put(written.with_results(imported.results), temporary, result)
    if stopped is not None:
        raise _unfinished(stopped, imported, file, result)
    _end(context, imported, result)


def _unfinished(why: CommandFailed, imported: FileImport, file: Path, result: Path) -> CommandFailed:
    """Return an error that also says what is done."""
    counts, rows = imported.counts, len(imported.results)
    done = rows - counts[Outcome.NOT_SENT] - counts[Outcome.UNKNOWN]
    return type(why)(f"{why}; {done} of {rows} rows are done, see {result}; to go on, import {file} again")


def _send(context: CliContext, imported: FileImport, wait_s: float) -> CommandFailed | None:
    """Send all rows; return the error that ended it early, None if there is none."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=context.watching,
        transient=True,
        disable=not context.watching.is_terminal,
    )
    total = len(imported.results)
    try:
        with bar, _on_signals(signal.default_int_handler):
            sent = bar.add_task("sent", total=total)
            for done in imported.send(context.client):
                bar.update(sent, completed=done)
            if wait_s:
                judged = bar.add_task("processed", total=imported.counts[Outcome.QUEUED])
                for left in imported.follow(context.client, wait_s):
                    bar.update(judged, completed=total - left)
    except KeyboardInterrupt:
        return Interrupted("interrupted")
    except WaybillError as error:
        return failure_of(error)
    return None


def _say(context: CliContext, file: Path, imported: FileImport) -> None:
    counts, rows = imported.counts, len(imported.results)
    said = [f"{file.name}: {imported.table.format}; {rows} rows of {imported.kind.value}"]
    if counts[Outcome.SKIPPED]:
        said.append(f"{counts[Outcome.SKIPPED]} are skipped, as the layout says")
    if counts[Outcome.REJECTED]:
        said.append(f"{counts[Outcome.REJECTED]} cannot be read and are not sent")
    if imported.ignored:
        said.append(f"columns that are not read: {', '.join(imported.ignored)}")
    if imported.repeated:
        said.append(f"of columns with one name the first is read: {', '.join(imported.repeated)}")
    for line in said:
        context.say(line)


def _end(context: CliContext, imported: FileImport, result: Path | None) -> None:
    """Print the counts, and the first errors of rows.

    Raises:
        Unfinished: rows were rejected.
    """
    for line, error in imported.invalid[:SHOWN_ERRORS]:
        context.say(f"line {line}: {error}")
    if len(imported.invalid) > SHOWN_ERRORS:
        context.say(f"and {len(imported.invalid) - SHOWN_ERRORS} more")
    counts = {outcome.value: count for outcome, count in imported.counts.items()}
    written = {} if result is None else {"result": str(result)}
    context.show({"kind": imported.kind.value, "rows": len(imported.results), **counts, **written})
    if rejected := imported.counts[Outcome.REJECTED]:
        raise Unfinished(
            f"{rejected} of {len(imported.results)} rows were rejected"
            + (f": see {result}" if result else "")
        )


def _beside(file: Path, imported: FileImport) -> Path:
    """Return the path of the result; a workbook with macros (.xlsm) has none in its result."""
    ending = file.suffix if isinstance(imported.table.format, CsvFormat) else ".xlsx"
    return file.with_name(f"{file.stem}.result{ending}")


@contextmanager
def _on_signals(handler: Handler) -> Iterator[None]:
    """Handle Ctrl-C and SIGTERM alike while the block runs."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _opened_beside(path: Path) -> Path:
    """Return a new file in the folder of another, which will take its place.

    Raises:
        Misused: nothing can be written there.
    """
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            return Path(file.name)
    except OSError as error:
        raise Misused(f"cannot write {path}: {error.strerror}") from error


def _put(content: bytes, beside: Path, path: Path) -> None:
    """Write a file at once: it is there as a whole, or as it was.

    Raises:
        Unfinished: it cannot be written.
    """
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise Unfinished(f"cannot write {path}: {error.strerror}; importing again repeats nothing") from error
    finally:
        beside.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    """Return the content of a file, one byte more than is allowed at most.

    Raises:
        Misused: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(Limits().file_bytes + 1)
    except OSError as error:
        raise Misused(f"cannot read {path}: {error.strerror}") from error
