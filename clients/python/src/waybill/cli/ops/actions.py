"""`actions`: the log of what operators have done by hand."""

from dataclasses import dataclass
from typing import Annotated, Final

import typer

from waybill.cli.context import CliContext
from waybill.cli.options import expanded

app: Final = typer.Typer(
    name="actions", no_args_is_help=True, help="The log of what operators have done by hand."
)

COLUMNS: Final = ("at", "by", "action", "target", "reason", "details")


@dataclass(frozen=True, slots=True)
class Filter:
    """Filter of the listed actions."""

    action: Annotated[str | None, typer.Option(help="Such as dead_letter.replayed.")] = None
    target: Annotated[str | None, typer.Option(help="What it was done to, such as dl_3_17.")] = None
    by: Annotated[str | None, typer.Option(help="Who did it.")] = None
    limit: Annotated[int, typer.Option(min=1, help="Maximum number.")] = 20


@app.command("list")
@expanded
def show_list(context: CliContext, filters: Filter) -> None:
    """List actions, newest first."""
    found = context.client.operator_actions.list(action=filters.action, target=filters.target, by=filters.by)
    context.show_some(found, COLUMNS, limit=filters.limit)
