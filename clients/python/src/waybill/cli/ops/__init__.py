"""`waybill ops`: commands of operators."""

import typer

from waybill.cli import webhooks
from waybill.cli.ops import actions, dead_letters, partitions, quarantine

app = typer.Typer(
    name="ops",
    no_args_is_help=True,
    help="Operate a running Waybill.",
    epilog='In a checkout: make ops ARGS="dead-letters list --help", and so on.',
)
for each in (dead_letters, partitions, quarantine, webhooks, actions):
    app.add_typer(each.app)
