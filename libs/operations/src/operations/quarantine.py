"""`quarantine`: shipments whose records are set aside."""

from typing import Annotated, Final

import typer

from operations.desk import CliContext
from operations.options import Deployment, expanded
from operations.waybill import path_to

app: Final = typer.Typer(
    name="quarantine", no_args_is_help=True, help="Shipments whose records are set aside as dead letters."
)

Shipment = Annotated[str, typer.Argument(help="A tracking number.")]

_COLUMNS: Final = ("tracking_number", "since", "requested_by", "reason")


@app.command("list")
@expanded
def show_list(deployment: Deployment) -> None:
    """List the shipments that are set aside."""
    desk = CliContext(deployment)
    desk.show_list(desk.waybill.get("/quarantine")["data"], _COLUMNS)


@app.command()
@expanded
def add(
    deployment: Deployment, tracking_number: Shipment, reason: Annotated[str, typer.Option(help="Why.")]
) -> None:
    """Set a shipment aside: within seconds, none of its records is applied any more."""
    desk = CliContext(deployment)
    desk.show(desk.waybill.put(path_to("quarantine", tracking_number), {"reason": reason}))


@app.command()
@expanded
def release(deployment: Deployment, tracking_number: Shipment) -> None:
    """Let its records be applied again; what was set aside is to be replayed."""
    desk = CliContext(deployment)
    desk.waybill.delete(path_to("quarantine", tracking_number))
    desk.say(f"{tracking_number} is released: replay what was set aside of it")
