"""Command line of the embedded stack; the only place that reads the environment."""

import contextlib
import importlib
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import typer

from devstack.console.printable import printable
from devstack.errors import StackError
from devstack.settings import StackSettings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Waybill on one machine.")


@app.command()
def run(
    *, stores_only: Annotated[bool, typer.Option(help="Start MongoDB, Redis and Kafka alone.")] = False
) -> None:
    """Run everything in the foreground until Ctrl-C."""
    # Both commands import what they need when asked for: neither waits for what only the other needs.
    stack = importlib.import_module("devstack.stack")
    fitting = importlib.import_module("devstack.machine.fitting")
    with _one_line():
        fit = fitting.fit_machine(os.environ, stores_only=stores_only)
        settings = StackSettings.from_environment(fit.environment, stores_only=stores_only)
        stack.run_in_foreground(replace(settings, notes=fit.notes))


@app.command()
def clean_data(*, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Delete the data of the stack in WAYBILL_HOME, but no backup: lists it and asks."""
    home = importlib.import_module("devstack.home.directory")
    clearing = importlib.import_module("devstack.home.clearing")
    with _one_line():
        settings = StackSettings.from_environment(os.environ, stores_only=False)
        clearing.clear(home.Home(settings.home), unasked=yes)


@app.command(
    name="exec",
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
)
def execute(context: typer.Context) -> None:
    """Run a command, with the addresses of the running stack's stores in its environment."""
    if not context.args:
        raise typer.BadParameter('which command? make exec COMMAND="…"')
    home = importlib.import_module("devstack.home.directory")
    store_addresses = importlib.import_module("devstack.store_addresses")
    try:
        settings = StackSettings.from_environment(os.environ, stores_only=False)
        addresses = store_addresses.addresses_in(home.Home(settings.home).stack_file)
        os.execvpe(context.args[0], context.args, {**os.environ, **addresses})  # noqa: S606  # what was asked for
    except (StackError, OSError) as exc:
        typer.echo(f"error: {printable(str(exc))}", err=True)
        raise typer.Exit(2) from exc


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except StackError as exc:
        typer.echo(f"error: {printable(str(exc))}", err=True)
        for line in exc.details:
            typer.echo(f"  {printable(line)}", err=True)
        raise typer.Exit(1) from exc
    except OSError as exc:  # a full or read-only disk, a file where a directory should be
        typer.echo(printable(f"error: {exc.filename or 'this machine'}: {exc.strerror or exc}"), err=True)
        raise typer.Exit(1) from exc


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # pressed while the imports still run: nothing to undo yet
        app()
