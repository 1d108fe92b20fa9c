"""The console script `waybill`: every command, with one line of text for each error."""

import sys
from io import TextIOWrapper
from typing import Annotated, Final

import typer

from waybill import __version__
from waybill.cli import events, importing, links, ops, outbox, reading, shipments, users, webhooks
from waybill.cli.errors import CommandFailed, ExitCode, Misused, failure_of
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
