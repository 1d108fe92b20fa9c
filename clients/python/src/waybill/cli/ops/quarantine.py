"""`quarantine`: shipments whose records are dead-lettered instead of applied."""

from typing import Annotated, Final

import typer

from waybill.cli.context import CliContext
from waybill.cli.inputs import segment
from waybill.cli.options import expanded

app: Final = typer.Typer(
    name="quarantine",
    no_args_is_help=True,
    help="Shipments whose records are dead-lettered instead of applied.",
)

Shipment = Annotated[str, typer.Argument(help="A tracking number.", parser=segment)]

_COLUMNS: Final = ("tracking_number", "since", "requested_by", "reason")


@app.command("list")
@expanded
def show_list(context: CliContext) -> None:
    """List the quarantined shipments."""
    context.show_list(context.client.quarantine.list(), _COLUMNS)


@app.command()
@expanded
def add(
    context: CliContext, tracking_number: Shipment, reason: Annotated[str, typer.Option(help="Why.")]
) -> None:
    """Quarantine a shipment: within seconds, none of its records is applied any more."""
    context.show(context.client.quarantine.set(tracking_number, reason))


@app.command()
@expanded
def release(context: CliContext, tracking_number: Shipment) -> None:
    """Release a shipment, so that its records are applied again; replay its dead letters yourself."""
    context.client.quarantine.release(tracking_number)
    context.say(f"{tracking_number} is released: replay its dead letters to apply them")
