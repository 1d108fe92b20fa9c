"""`login`, `logout`, `password` and `profiles`: who the other commands are."""

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from waybill.cli.context import CliContext, Deployment, client_of
from waybill.cli.errors import CommandFailed, Misused, failure_of
from waybill.cli.options import expanded
from waybill.cli.profiles.credentials import PROFILE, URL, Access, address_of
from waybill.cli.profiles.secrets import asked, new_secret, secret
from waybill.cli.profiles.store import DEFAULT, Profile, ProfileStore
from waybill.errors import WaybillError

app: Final = typer.Typer(name="profiles", no_args_is_help=True, help="Stored logins.")

_COLUMNS: Final = ("name", "current", "url", "credentials", "username", "expires_at")
_NAME: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
_EARLY: Final = timedelta(minutes=1)
"""A token is taken as ended so long before: a command may take a while."""


@expanded
def login(
    deployment: Deployment,
    username: Annotated[
        str | None, typer.Option(help="Your name; the password is asked for.", metavar="NAME")
    ] = None,
    *,
    api_key: Annotated[
        bool, typer.Option("--api-key", help="Ask for an API key instead of a name and a password.")
    ] = False,
) -> None:
    """Log in, and store the login as a profile, which the other commands use.

    A password is not stored: its token is, which ends after a day. An API key is stored, and does not end.
    Without a terminal, the password or the key is read as one line from standard input.
    """
    store = ProfileStore()
    name = deployment.profile or os.environ.get(PROFILE) or DEFAULT
    if not _NAME.fullmatch(name):
        raise Misused(f"{name} is no name of a profile: 1 to 64 letters, digits, dots, dashes, underscores")
    before = store.load().by_name.get(name)
    if before is not None and not deployment.url and not os.environ.get(URL):
        url = before.url
    else:
        url = address_of(deployment.url, os.environ)
    context = CliContext(deployment)
    if url.startswith("http://") and not _is_local(url):
        context.say(f"{url} is not encrypted: others on the way can read what you send")
    if api_key:
        profile = _with_key(name, url)
    else:
        profile = _with_password(name, url, username or (before.username if before else None))
    store.save(profile)
    context.say(f"logged in to {url}; the profile {name} is in {store.path}")


@expanded
def logout(deployment: Deployment) -> None:
    """Remove a profile, and revoke its token; an API key stays valid until an admin deletes it."""
    store = ProfileStore()
    profiles = store.load()
    name = deployment.profile or os.environ.get(PROFILE) or profiles.current
    if name is None:
        raise Misused("there is no profile to log out of")
    profile = profiles.named(name)
    failed = _revoke(profile)
    store.remove(name)
    CliContext(deployment).say(f"the profile {name} is removed")
    if profile.api_key is not None:
        CliContext(deployment).say("its API key is still valid: `waybill users delete-key` deletes it")
    if failed is not None:
        raise type(failed)(f"its token is not revoked, and ends at {profile.expires_at}: {failed}")


@expanded
def password(context: CliContext) -> None:
    """Change your own password, which revokes your other tokens; asks for both, or reads two lines."""
    current = secret("Current password")
    context.client.auth.change_password(current, new_secret("New password"))
    context.say("the password is changed")


@app.command("list")
@expanded
def show_list(deployment: Deployment) -> None:
    """List the profiles, without what is secret in them."""
    found = ProfileStore().load()
    CliContext(deployment).show_list(
        [_shown(each, is_current=each.name == found.current) for each in found.by_name.values()], _COLUMNS
    )


@app.command()
@expanded
def use(
    deployment: Deployment,
    name: Annotated[str, typer.Argument(help="Its name, as `profiles list` shows it.")],
) -> None:
    """Make a profile the one that commands use unless they are told another."""
    ProfileStore().use(name)
    CliContext(deployment).say(f"{name} is the current profile")


def _with_password(name: str, url: str, username: str | None) -> Profile:
    username = username or asked("User name")
    given = secret(f"Password of {username}")
    with client_of(Access(url, username=username, password=given)) as client:
        token = client.auth.login()
    ends = datetime.now(UTC) + timedelta(seconds=token.expires_in) - _EARLY
    return Profile(name, url, username, token.token, ends)


def _with_key(name: str, url: str) -> Profile:
    key = secret("API key")
    with client_of(Access(url, api_key=key)) as client:
        client.auth.login()  # a wrong key is refused now, and not by the first command
    return Profile(name, url, api_key=key)


def _revoke(profile: Profile) -> CommandFailed | None:
    if profile.token is None or profile.has_ended(datetime.now(UTC)):
        return None
    try:
        with client_of(Access(profile.url, token=profile.token)) as client:
            client.auth.logout()
    except WaybillError as error:
        return failure_of(error)
    return None


def _shown(profile: Profile, *, is_current: bool) -> dict[str, object]:
    return {
        "name": profile.name,
        "current": is_current,
        "url": profile.url,
        "credentials": "API key" if profile.api_key is not None else "token",
        "username": profile.username,
        "expires_at": None if profile.expires_at is None else profile.expires_at.isoformat("T", "seconds"),
    }


def _is_local(url: str) -> bool:
    host = url.removeprefix("http://").partition("/")[0]
    return host.startswith(("localhost", "127.", "[::1]"))
