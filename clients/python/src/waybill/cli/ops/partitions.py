"""`partitions`: owner of each partition of the log, and resuming a halted one."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from waybill.cli.context import CliContext
from waybill.cli.options import expanded

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
def show_list(context: CliContext) -> None:
    """List partitions; `resume from` is the value for `resume --from`."""
    context.show_list(context.client.partitions.list(), _COLUMNS)


@app.command()
@expanded
def resume(
    context: CliContext,
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
    context.show(context.client.partitions.resume(partition, reason, from_=start.value))
