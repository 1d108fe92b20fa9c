"""`waybill-admin rebuild`: compare shipments with their sources, rebuild and replace them.

Exit codes: 0 equal, or done; 1 different, or refused; 2 MongoDB or Kafka does not respond; 3 swapped, but a
processor started meanwhile.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

import uvloop

from domain.errors import TransientError, WaybillError
from servicekit.settings import load_settings
from storage.mongo.database import Database, open_database
from storage.mongo.maintenance.collection_swap import SideCollection
from toolbox.rebuild.comparison import Report, Source, check, opened
from toolbox.rebuild.replacement import Overtaken, swap, write
from toolbox.rebuild.settings import Settings

_PROGRESS_EVERY_S: Final = 2.0

Command = Callable[[Settings, Database, argparse.Namespace, Report], Coroutine[Any, Any, str]]


def main() -> int:
    """Run the command of the arguments and print its result; return the exit code."""
    arguments = _parser().parse_args()
    settings = load_settings(Settings)
    # Millions of small objects that live as long as one shipment is processed, and no cycles.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_run(settings, arguments))
        except (WaybillError, ValueError) as error:
            message, code = message_and_exit_code(error)
            _say(message)
            return code


def message_and_exit_code(error: WaybillError | ValueError) -> tuple[str, int]:
    """Return the message and the exit code for an error."""
    if isinstance(error, TransientError):
        return f"error: {error}", 2
    if isinstance(error, Overtaken):
        return f"error: swapped, but {error}", 3
    return f"refused: {error}", 1


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    report = Report(_say, show=arguments.show)
    started = time.monotonic()
    progress = asyncio.create_task(_progress(report))
    async with open_database(settings.mongo) as database:
        command: Command = arguments.command
        done = await command(settings, database, arguments, report)
    progress.cancel()
    took = time.monotonic() - started
    more = report.differences - report.show
    if more > 0:
        _say(f"... and {more} more")
    if report.gone:
        _say(f"{report.gone} shipments are not in the log any more")
    _say(f"{done}, in {took:.1f} s ({report.events / took:,.0f} events/s)")
    return 1 if report.differences else 0


async def _progress(report: Report) -> None:
    while True:
        await asyncio.sleep(_PROGRESS_EVERY_S)
        sys.stderr.write(
            f"{report.records} records of the log read, {report.shipments} shipments with "
            f"{report.events} events looked at, {report.differences} differences\n"
        )


async def _check(
    settings: Settings, database: Database, arguments: argparse.Namespace, report: Report
) -> str:
    source = Source(arguments.source)
    async with opened(settings.kafka, database, source, report) as sources:
        await check(sources, source, report)
    verdict = "equal" if report.differences == 0 else f"{report.differences} DIFFERENCES"
    return f"{verdict}: {report.shipments} shipments, {report.events} events, {report.records} records"


async def _write(
    settings: Settings, database: Database, arguments: argparse.Namespace, report: Report
) -> str:
    side = SideCollection(database, arguments.into)
    async with opened(settings.kafka, database, Source(arguments.source), report) as sources:
        written = await write(sources, side, report)
    return f"{written} shipments written into {side.name}, {report.differences} could not be made"


async def _swap(settings: Settings, database: Database, arguments: argparse.Namespace, report: Report) -> str:
    side = SideCollection(database, arguments.collection)
    source = Source(arguments.source)
    await swap(settings.kafka, database, side, source, report, settings.loop.group)
    return f"{side.name} is shipments now: {report.shipments} shipments"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--show", type=int, default=20, help="maximum number of differences to print")
    commands = parser.add_subparsers(required=True)
    checking = commands.add_parser("check", help="compare shipments with their sources")
    checking.add_argument("--from", dest="source", choices=[*Source], default=Source.BOTH)
    checking.set_defaults(command=_check)
    for name, command, help_text in (
        ("write", _write, "rebuild shipments into a side collection"),
        ("swap", _swap, "replace shipments by a side collection; the processors must be stopped"),
    ):
        changing = commands.add_parser(name, help=help_text)
        changing.add_argument("--from", dest="source", choices=[Source.AUDIT, Source.LOG], required=True)
        changing.set_defaults(command=command)
        if name == "write":
            changing.add_argument("--into", required=True, metavar="COLLECTION")
        else:
            changing.add_argument("collection", metavar="COLLECTION")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
