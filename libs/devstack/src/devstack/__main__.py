"""Command line of the embedded stack; the only place that reads the environment."""

import asyncio
import importlib
import os
from typing import Annotated

import typer

from devstack.errors import StackError
from devstack.home import Home
from devstack.journal import Journal, Screen
from devstack.settings import StackSettings
from devstack.stack import run_stack

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Waybill on one machine.")


@app.command()
def run(
    *, stores_only: Annotated[bool, typer.Option(help="Start MongoDB, Redis and Kafka alone.")] = False
) -> None:
    """Run everything in the foreground until Ctrl-C."""
    try:
        settings = StackSettings.from_environment(os.environ, stores_only=stores_only)
        home = Home(settings.home)
        home.prepare()
        journal = Journal(Screen(highlight=False), file=home.logs / "supervisor.log")
        asyncio.run(run_stack(settings, journal, home=home))
    except StackError as exc:
        typer.echo(f"error: {exc}", err=True)
        for line in exc.details:
            typer.echo(f"  {line}", err=True)
        raise typer.Exit(1) from exc


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def demo() -> None:
    """Drive lifelike traffic through the running stack."""
    # Imported by name when asked for: `run` must not wait for what only the demo needs.
    importlib.import_module("devstack.demo.cli").run()


if __name__ == "__main__":
    app()
