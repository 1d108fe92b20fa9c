"""`users`: accounts and their API keys, for admins."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from waybill.cli.context import CliContext
from waybill.cli.errors import Misused
from waybill.cli.inputs import segment
from waybill.cli.options import expanded
from waybill.cli.profiles.secrets import new_secret

app: Final = typer.Typer(name="users", no_args_is_help=True, help="Accounts and their API keys, for admins.")

Name = Annotated[str, typer.Argument(help="Name of the user.", metavar="USERNAME", parser=segment)]

_COLUMNS: Final = ("username", "role", "client_id", "disabled", "allowed_sources", "updated_at")
_KEYS: Final = ("id", "created_at", "last_used_at")


@dataclass(frozen=True, slots=True)
class Reach:
    """Clients and sources that a user may act for."""

    client_id: Annotated[str | None, typer.Option(help="Client of a user with the role client.")] = None
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--allowed-source", help="Beginning of the sources that a producer may use; several times."
        ),
    ] = None

    def given(self) -> dict[str, Any]:
        """Return the fields that have a value, by the names of the API."""
        fields = {"client_id": self.client_id, "allowed_sources": self.source or None}
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of a user besides its reach."""

    role: Annotated[str | None, typer.Option(help="admin, client or producer.")] = None
    disabled: Annotated[
        bool | None, typer.Option("--disable/--enable", help="Whether the user may log in.")
    ] = None
    any_source: Annotated[bool, typer.Option("--any-source", help="Allow every source again.")] = False
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a new password, or read one from standard input.")
    ] = False


@app.command("list")
@expanded
def show_list(
    context: CliContext, limit: Annotated[int, typer.Option(min=1, help="Maximum number.")] = 20
) -> None:
    """List users."""
    context.show_some(context.client.users.list(), _COLUMNS, limit=limit)


@app.command()
@expanded
def get(context: CliContext, username: Name) -> None:
    """Show a user."""
    context.show(context.client.users.get(username))


@app.command()
@expanded
def create(
    context: CliContext,
    username: Name,
    role: Annotated[str, typer.Option(help="admin, client or producer.")],
    reach: Reach,
) -> None:
    """Create a user; asks for the password, or reads it as one line from standard input."""
    users = context.client.users  # without credentials there is nothing to ask
    password = new_secret(f"Password of {username}")
    context.show(users.create(username, password, role, **reach.given()))


@app.command()
@expanded
def change(context: CliContext, username: Name, reach: Reach, others: Changes) -> None:
    """Change a user: what is given, and nothing else."""
    changes = reach.given()
    if others.any_source:
        if "allowed_sources" in changes:
            raise Misused("--any-source and --allowed-source exclude each other")
        changes["allowed_sources"] = []
    if others.role is not None:
        changes["role"] = others.role
    if others.disabled is not None:
        changes["disabled"] = others.disabled
    if others.password:
        changes["password"] = new_secret(f"New password of {username}")
    if not changes:
        raise Misused("nothing to change: give one of --role, --client-id, --allowed-source, --disable, …")
    context.show(context.client.users.change(username, **changes))


@app.command("keys")
@expanded
def show_keys(context: CliContext, username: Name) -> None:
    """List the API keys of a user; a key itself is not shown again."""
    context.show_list(context.client.users.api_keys(username), _KEYS)


@app.command()
@expanded
def create_key(context: CliContext, username: Name) -> None:
    """Create an API key for a user, and show it this once."""
    context.show(context.client.users.create_api_key(username))


@app.command()
@expanded
def delete_key(
    context: CliContext,
    username: Name,
    key_id: Annotated[str, typer.Argument(help="As `keys` shows it.", parser=segment)],
) -> None:
    """Delete an API key, with the tokens that were exchanged for it."""
    context.client.users.delete_api_key(username, key_id)
    context.say(f"{key_id} is deleted")
