"""`track` and `health`: what anybody may read, without credentials."""

from typing import Annotated, Final

import typer

from waybill.cli.context import CliContext, to_json
from waybill.cli.errors import Unavailable
from waybill.cli.inputs import segment
from waybill.cli.options import expanded

_STEPS: Final = ("timestamp", "status", "checkpoint")


@expanded
def track(
    context: CliContext,
    tracking_number: Annotated[
        str, typer.Argument(help="As on the parcel.", metavar="NUMBER", parser=segment)
    ],
) -> None:
    """Show where a parcel is, as anybody sees it who knows its number."""
    found = context.anonymous.public.shipment(tracking_number)
    if context.as_json:
        context.show(found)
        return
    shown = to_json(found)
    steps = shown.pop("steps")
    context.show(shown)
    context.show_list(steps, _STEPS)


@expanded
def health(context: CliContext) -> None:
    """Show the state of the whole system; the exit code is 3 if a part of it is down."""
    report = context.anonymous.health()
    context.show(report)
    if report.status == "down":
        raise Unavailable("a part of Waybill is down")
