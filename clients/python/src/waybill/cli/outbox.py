"""`outbox`: scans that are kept on this device until the API has answered for each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from platformdirs import user_data_path

from waybill.cli.context import CliContext
from waybill.cli.errors import Misused, Unavailable, Unfinished
from waybill.cli.events import Number, Scan, statuses
from waybill.cli.options import expanded
from waybill.outbox import InvalidScan, Outbox, OutboxBusy, RefusedScan
from waybill.outbox import Scan as StoredScan

app: Final = typer.Typer(
    name="outbox",
    no_args_is_help=True,
    help="Keep events on this device, and send them when there is a network.",
)

_COLUMNS: Final = ("id", "tracking_number", "status", "checkpoint", "timestamp", "source")


@dataclass(frozen=True, slots=True)
class OutboxFile:
    """The file of an outbox."""

    file: Annotated[
        Path | None,
        typer.Option(envvar="WAYBILL_OUTBOX", help="By default one of this user.", metavar="FILE"),
    ] = None

    @contextmanager
    def opened(self) -> Iterator[Outbox]:
        """Open the outbox.

        Raises:
            Misused: a scan is invalid.
            Unavailable: the outbox is in use elsewhere.
        """
        try:
            with Outbox(self.file or _own_file()) as outbox:
                yield outbox
        except InvalidScan as error:
            raise Misused(str(error)) from error
        except OutboxBusy as error:
            raise Unavailable(str(error)) from error


Ids = Annotated[list[int], typer.Argument(help="As `waybill outbox refused` shows them.", metavar="ID...")]


@app.command()
@expanded
def add(
    context: CliContext,
    tracking_number: Number,
    scan: Scan,
    file: OutboxFile,
    status: Annotated[
        str | None,
        typer.Argument(
            help="Such as picked_up; or give --checkpoint.", metavar="[STATUS]", autocompletion=statuses
        ),
    ] = None,
) -> None:
    """Keep a scan: it is on the disk when this command ends. Nothing is sent."""
    with file.opened() as outbox:
        context.show(_fields(outbox.add(tracking_number, status, **scan.given())))


@app.command()
@expanded
def flush(context: CliContext, file: OutboxFile) -> None:
    """Send the scans that wait, in their order; repeating it is harmless."""
    with file.opened() as outbox:
        result = outbox.flush(context.client)
    for warning in result.warnings:
        context.say(f"warning: {warning}")
    skew = result.clock_skew
    context.show(
        {
            "queued": result.queued,
            "refused": result.refused,
            "clock_skew_s": None if skew is None else skew.total_seconds(),
        }
    )
    if result.refused:
        raise Unfinished(f"{result.refused} scans were refused: see `waybill outbox refused`")


@app.command("list")
@expanded
def show_list(context: CliContext, file: OutboxFile) -> None:
    """List the scans that wait, in the order of sending."""
    with file.opened() as outbox:
        context.show_list(map(_fields, outbox.pending()), _COLUMNS)


@app.command()
@expanded
def status(context: CliContext, file: OutboxFile) -> None:
    """Count the scans."""
    with file.opened() as outbox:
        found = outbox.status()
    context.show(
        {
            "pending": found.pending,
            "refused": found.refused,
            "overdue": found.overdue,
            "oldest_at": None if found.oldest_at is None else found.oldest_at.isoformat(),
            "max_scans": found.max_scans,
        }
    )


@app.command()
@expanded
def refused(context: CliContext, file: OutboxFile) -> None:
    """List the scans that Waybill refused, with the reasons."""
    with file.opened() as outbox:
        context.show_list(map(_refused_fields, outbox.refused()), (*_COLUMNS, "error", "problems"))


@app.command()
@expanded
def put_back(context: CliContext, ids: Ids, file: OutboxFile) -> None:
    """Send refused scans again with the next flush."""
    with file.opened() as outbox:
        for each in ids:
            with _known():
                outbox.put_back(each)
    context.say(f"{len(ids)} scans wait again")


@app.command()
@expanded
def remove(context: CliContext, ids: Ids, file: OutboxFile) -> None:
    """Delete refused scans for good."""
    with file.opened() as outbox:
        for each in ids:
            with _known():
                outbox.remove(each)
    context.say(f"{len(ids)} scans are deleted")


@contextmanager
def _known() -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        raise Misused(error.args[0]) from error


def _own_file() -> Path:
    return user_data_path("waybill", ensure_exists=True) / "outbox.db"


def _fields(scan: StoredScan) -> dict[str, Any]:
    return {"id": scan.id, **scan.event}


def _refused_fields(scan: RefusedScan) -> dict[str, Any]:
    problems = [f"{each.pointer} {each.message}" for each in scan.problems]
    return {**_fields(scan), "error": scan.error, "problems": problems}
