"""`actions`: what operators have done by hand."""

from dataclasses import dataclass
from typing import Annotated, Final

import typer

from operations.desk import CliContext
from operations.options import Deployment, expanded

app: Final = typer.Typer(name="actions", no_args_is_help=True, help="What operators have done by hand.")

COLUMNS: Final = ("at", "by", "action", "target", "reason", "details")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which actions."""

    action: Annotated[str | None, typer.Option(help="Such as dead_letter.replayed.")] = None
    target: Annotated[str | None, typer.Option(help="What it was done to, such as dl_3_17.")] = None
    by: Annotated[str | None, typer.Option(help="Who did it.")] = None
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20


@app.command("list")
@expanded
def show_list(deployment: Deployment, which: Filter) -> None:
    """List actions, newest first."""
    desk = CliContext(deployment)
    pages = desk.waybill.pages("/operator-actions", action=which.action, target=which.target, by=which.by)
    desk.show_some(pages, COLUMNS, limit=which.limit)
