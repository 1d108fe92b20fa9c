"""Command line of the embedded stack; the only place that reads the environment."""

import contextlib
import importlib
import os
from typing import Annotated

import typer

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
    try:
        settings = StackSettings.from_environment(os.environ, stores_only=stores_only)
        stack.run_in_foreground(settings)
    except StackError as exc:
        typer.echo(f"error: {exc}", err=True)
        for line in exc.details:
            typer.echo(f"  {line}", err=True)
        raise typer.Exit(1) from exc


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def demo() -> None:
    """Drive lifelike traffic through the running stack."""
    importlib.import_module("devstack.demo.cli").run()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # pressed while the imports still run: nothing to undo yet
        app()
