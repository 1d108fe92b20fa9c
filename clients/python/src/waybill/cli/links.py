"""`links`: pages of a shipment for its recipient."""

from typing import Annotated, Final

import typer

from waybill.cli.context import CliContext
from waybill.cli.inputs import segment
from waybill.cli.options import expanded

app: Final = typer.Typer(
    name="links", no_args_is_help=True, help="Links that show a recipient where the parcel is."
)

Number = Annotated[str, typer.Argument(help="Tracking number of the shipment.", parser=segment)]

_COLUMNS: Final = ("id", "created_by", "created_at", "expires_at")


@app.command("list")
@expanded
def show_list(context: CliContext, tracking_number: Number) -> None:
    """List the links of a shipment."""
    context.show_list(context.client.links.list(tracking_number), _COLUMNS)


@app.command()
@expanded
def create(context: CliContext, tracking_number: Number) -> None:
    """Create a link, and show its address this once; anybody who has it sees the page."""
    context.show(context.client.links.create(tracking_number))


@app.command()
@expanded
def delete(
    context: CliContext,
    tracking_number: Number,
    link: Annotated[str, typer.Argument(help="Its id, as `links list` shows it.", parser=segment)],
) -> None:
    """Delete a link; its page is gone for everybody."""
    context.client.links.delete(tracking_number, link)
    context.say(f"{link} is deleted")
