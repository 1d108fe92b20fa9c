"""`dead-letters`: records that could not be applied."""

from dataclasses import dataclass
from itertools import chain, islice
from typing import Annotated, Final

import typer

from operations.desk import Desk
from operations.options import Deployment, expanded
from operations.waybill import path_to

app: Final = typer.Typer(
    name="dead-letters", no_args_is_help=True, help="Records that could not be applied, kept as they were."
)

_COLUMNS: Final = ("id", "recorded_at", "reason", "tracking_number", "error")


@dataclass(frozen=True, slots=True)
class Which:
    """Which dead letters."""

    reason: Annotated[str | None, typer.Option(help="unreadable or unprocessable.")] = None
    tracking_number: Annotated[str | None, typer.Option(help="Of this shipment.")] = None
    since: Annotated[str | None, typer.Option(help="Recorded then or later (RFC 3339).")] = None
    until: Annotated[str | None, typer.Option(help="Recorded before then (RFC 3339).")] = None

    def query(self) -> dict[str, str | None]:
        """Return it as the API is asked."""
        return {
            "reason": self.reason,
            "tracking_number": self.tracking_number,
            "from": self.since,
            "to": self.until,
        }


@app.command("list")
@expanded
def show_list(
    deployment: Deployment,
    which: Which,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
) -> None:
    """List dead letters, newest first."""
    desk = Desk(deployment)
    pages = desk.waybill.pages("/dead-letters", **which.query())
    desk.show_list(islice(chain.from_iterable(pages), limit), _COLUMNS)


@app.command()
@expanded
def show(
    deployment: Deployment, dead_letter_id: Annotated[str, typer.Argument(help="Such as dl_3_17.")]
) -> None:
    """Show one dead letter."""
    desk = Desk(deployment)
    desk.show(desk.waybill.get(path_to("dead-letters", dead_letter_id)))
