"""`quarantine`: shipments whose records are dead-lettered instead of applied."""

from typing import Annotated, Final

import typer

from operations.cli_context import CliContext
from operations.options import Deployment, expanded
from operations.waybill import path_to

app: Final = typer.Typer(
    name="quarantine",
    no_args_is_help=True,
    help="Shipments whose records are dead-lettered instead of applied.",
)

Shipment = Annotated[str, typer.Argument(help="A tracking number.")]

_COLUMNS: Final = ("tracking_number", "since", "requested_by", "reason")


@app.command("list")
@expanded
def show_list(deployment: Deployment) -> None:
    """List the quarantined shipments."""
    context = CliContext(deployment)
    context.show_list(context.waybill.get("/quarantine")["data"], _COLUMNS)


@app.command()
@expanded
def add(
    deployment: Deployment, tracking_number: Shipment, reason: Annotated[str, typer.Option(help="Why.")]
) -> None:
    """Quarantine a shipment: within seconds, none of its records is applied any more."""
    context = CliContext(deployment)
    context.show(context.waybill.put(path_to("quarantine", tracking_number), {"reason": reason}))


@app.command()
@expanded
def release(deployment: Deployment, tracking_number: Shipment) -> None:
    """Release a shipment, so that its records are applied again; replay its dead letters yourself."""
    context = CliContext(deployment)
    context.waybill.delete(path_to("quarantine", tracking_number))
    context.say(f"{tracking_number} is released: replay its dead letters to apply them")
