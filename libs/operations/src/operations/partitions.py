"""`partitions`: owner of each partition of the log, and resuming a halted one."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from operations.cli_context import CliContext
from operations.options import Deployment, expanded
from operations.waybill import path_to

app: Final = typer.Typer(
    name="partitions", no_args_is_help=True, help="The partitions of the log, and which of them are halted."
)

_COLUMNS: Final = ("partition", "owner", "next_offset", "halted", "since", "reason", "resume_from", "skip_to")


class Start(StrEnum):
    """Position from which a partition resumes."""

    COMMITTED = "committed"
    EARLIEST = "earliest"
    NEXT = "next"


@app.command("list")
@expanded
def show_list(deployment: Deployment) -> None:
    """List partitions; `resume from` is the value for `resume --from`."""
    context = CliContext(deployment)
    context.show_list(context.waybill.get("/partitions")["data"], _COLUMNS)


@app.command()
@expanded
def resume(
    deployment: Deployment,
    partition: Annotated[int, typer.Argument(min=0, help="Its number.")],
    reason: Annotated[str, typer.Option(help="Why it may resume.")],
    start: Annotated[
        Start,
        typer.Option(
            "--from",
            help="earliest accepts that records are lost; next skips the record that halted it, and no more.",
        ),
    ] = Start.COMMITTED,
) -> None:
    """Resume a halted partition, once the cause is repaired."""
    context = CliContext(deployment)
    body = {"reason": reason, "from": start.value}
    context.show(context.waybill.post(path_to("partitions", str(partition), "resume"), body))
