"""`python -m operations`: every command, with one line of text for each error."""

import sys
from io import TextIOWrapper
from typing import Final

import typer

from operations import actions, dead_letters, partitions, quarantine, webhooks
from operations.errors import OperationFailed
from operations.literal import literal

app: Final = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Operate a running Waybill. Credentials: WAYBILL_API_KEY, or WAYBILL_USER and WAYBILL_PASSWORD.",
    epilog='In a checkout: make ops ARGS="dead-letters list --help", and so on.',
)
app.add_typer(dead_letters.app)
app.add_typer(partitions.app)
app.add_typer(quarantine.app)
app.add_typer(webhooks.app)
app.add_typer(actions.app)


def main() -> None:
    """Run a command.

    Raises:
        SystemExit: with the exit code of the result, see `operations.errors`.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a locale may lack characters that names have
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except OperationFailed as failed:
        typer.echo(f"error: {literal(str(failed))}", err=True)
        sys.exit(failed.exit_code)


if __name__ == "__main__":
    main()
