"""`partitions`: who works on which part of the log, and how one that stands still goes on."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from operations.desk import CliContext
from operations.options import Deployment, expanded
from operations.waybill import path_to

app: Final = typer.Typer(
    name="partitions", no_args_is_help=True, help="The parts of the log, and which of them stand still."
)

_COLUMNS: Final = ("partition", "owner", "next_offset", "halted", "since", "reason", "resume_from", "skip_to")


class Start(StrEnum):
    """From where a partition goes on."""

    COMMITTED = "committed"
    EARLIEST = "earliest"
    NEXT = "next"


@app.command("list")
@expanded
def show_list(deployment: Deployment) -> None:
    """List partitions; `resume from` says what to resume one from."""
    desk = CliContext(deployment)
    desk.show_list(desk.waybill.get("/partitions")["data"], _COLUMNS)


@app.command()
@expanded
def resume(
    deployment: Deployment,
    partition: Annotated[int, typer.Argument(min=0, help="Its number.")],
    reason: Annotated[str, typer.Option(help="Why it may go on.")],
    start: Annotated[
        Start,
        typer.Option(
            "--from",
            help="earliest accepts that records are lost; next gives up what stopped it, and no more.",
        ),
    ] = Start.COMMITTED,
) -> None:
    """Let a partition that stands still go on, once what stopped it is repaired."""
    desk = CliContext(deployment)
    body = {"reason": reason, "from": start.value}
    desk.show(desk.waybill.post(path_to("partitions", str(partition), "resume"), body))
