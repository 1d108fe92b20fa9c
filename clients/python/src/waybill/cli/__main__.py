"""The console script `waybill`: every command, with one line of text for each error."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Annotated, Final

import typer

from waybill import __version__
from waybill.cli import events, importing, links, ops, outbox, reading, shipments, users, webhooks
from waybill.cli.errors import CommandFailed, ExitCode, Misused, Unfinished, failure_of
from waybill.cli.literal import literal
from waybill.cli.profiles import commands as profiles
from waybill.errors import WaybillError

EXIT_CODES: Final = "Exit codes: " + "; ".join(f"{each:d} {each.meaning}" for each in ExitCode) + "."

app: Final = typer.Typer(
    name="waybill",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Waybill from a shell. Credentials: `waybill login`, or WAYBILL_API_KEY, or WAYBILL_USER and "
        "WAYBILL_PASSWORD, at the address WAYBILL_URL."
    ),
    epilog=EXIT_CODES,
)
for command in (profiles.login, profiles.logout, profiles.password):
    app.command()(command)
app.add_typer(profiles.app)
for each in (shipments, events, outbox, links, webhooks, users):
    app.add_typer(each.app)
app.command("import")(importing.import_file)
for command in (reading.track, reading.health):
    app.command()(command)
app.add_typer(ops.app)


def _show_version(asked: bool) -> None:  # noqa: FBT001  # typer calls it so
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None: ...


def main() -> None:
    """Run a command.

    Raises:
        SystemExit: with the exit code of the result, see `ExitCode`.
    """
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a locale may lack characters that names have
            stream.reconfigure(errors="backslashreplace")
    try:
        _require_utf8(sys.argv)
        app()
    except WaybillError as error:
        _end(failure_of(error))
    except CommandFailed as failed:
        _end(failed)
    except OSError as error:
        _end(_not_written(error))


def _open_closed_streams() -> None:
    """Open the standard streams that the caller has closed, as in `>&-`; nothing is in them."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # until the end


def _not_written(error: OSError) -> CommandFailed:
    """Return an error for output that does not fit on its disk, or another one of the system."""
    with suppress(OSError, ValueError):  # what is left in the buffer would fail once more at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    where = f"{error.filename}: " if error.filename else ""
    return Unfinished(f"{where}{error.strerror or error}")


def _require_utf8(arguments: list[str]) -> None:
    for argument in arguments:
        if not argument.isascii():
            try:
                argument.encode()
            except UnicodeEncodeError:
                raise Misused(f"{argument!a} is no valid UTF-8") from None


def _end(failed: CommandFailed) -> None:
    typer.echo(f"error: {literal(str(failed))}", err=True)
    sys.exit(failed.exit_code)


if __name__ == "__main__":
    main()
