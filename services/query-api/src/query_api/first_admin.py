"""Command line `python -m query_api.first_admin USERNAME`: create an admin without logging in.

It needs access to the database, so it needs no token. The password is prompted for without echo, or read as
one line from standard input. `--reset` gives an existing admin another password and enables it. Exit codes:
0 done; 1 rejected, or MongoDB did not respond; 2 wrong arguments or environment.
"""

import argparse
import asyncio
import getpass
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.access.accounts import COMMAND_LINE, User, user_changed, user_created
from domain.access.permissions import Role
from domain.errors import StoreUnavailable, WaybillError
from domain.ports.core import Revocation
from httpkit.middleware.revoked_tokens import user_name
from query_api.schemas.bodies import NEW_USER, NewUser
from query_api.settings import PasswordSettings
from servicekit.clock import SystemClock
from servicekit.settings import load_settings
from storage.mongo.accounts.users import MongoUserStore, PasswordHasher
from storage.mongo.database import Database, open_database
from storage.mongo.schema import STEPS
from storage.mongo.schema.migrations import missing
from storage.settings import MongoSettings

_TOKENS_LAST_AT_MOST: Final = timedelta(days=30)


class CommandRejected(Exception):
    """The command was rejected; the text has the reason and a remedy."""


class FirstAdminSettings(BaseModel):
    """Settings of the command."""

    model_config = ConfigDict(frozen=True)

    mongo: MongoSettings
    passwords: PasswordSettings


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m query_api.first_admin", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("username")
    parser.add_argument("--reset", action="store_true", help="a new password for an admin that exists")
    arguments = parser.parse_args()
    settings = load_settings(FirstAdminSettings)
    try:
        wanted = NEW_USER.validate_python(
            {
                "username": arguments.username,
                "password": _ask_password(arguments.username),
                "role": Role.ADMIN,
            }
        )
        asyncio.run(_run(settings, wanted, reset=arguments.reset))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            place = "/".join(map(str, fault["loc"]))
            sys.stderr.write(f"error: {place}: {fault['msg'].removeprefix('Value error, ')}\n")
        return 2
    except (CommandRejected, WaybillError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _ask_password(username: str) -> str:
    try:
        password = _typed(username) if sys.stdin and sys.stdin.isatty() else _read()
        password.encode()
    except (EOFError, KeyboardInterrupt) as error:
        sys.stderr.write("\n")
        raise CommandRejected("no password was given: nothing is changed") from error
    except UnicodeError as error:
        raise CommandRejected("the password is not UTF-8: nothing is changed") from error
    return password


def _read() -> str:
    """Return one line of standard input as UTF-8, in any locale; empty if it is closed."""
    return sys.stdin.buffer.readline().decode().rstrip("\r\n") if sys.stdin else ""


def _typed(username: str) -> str:
    while True:
        password = getpass.getpass(f"Password for {username}: ")
        if password == getpass.getpass("Once more: "):
            return password
        sys.stderr.write("They differ: try again.\n")


async def _run(settings: FirstAdminSettings, wanted: NewUser, *, reset: bool) -> None:
    hasher = PasswordHasher(cost=settings.passwords.bcrypt_cost, threads=1)
    try:
        secret = await hasher.hash(wanted.password)
    finally:
        hasher.close()
    async with open_database(settings.mongo) as database:
        if await missing(database, STEPS):
            raise CommandRejected(
                "the database is not prepared yet: start Waybill, or run `waybill-admin schema`"
            )
        if reset:
            await reset_admin(database, wanted.username, secret)
        else:
            await make_admin(database, wanted.username, secret)
    sys.stdout.write(f"{wanted.username} {'has another password' if reset else 'is an admin'}\n")


async def make_admin(database: Database, username: str, password_hash: str) -> None:
    """Create an admin.

    Raises:
        CommandRejected: the name is taken.
        StoreUnavailable: MongoDB did not respond.
    """
    now = SystemClock().now()
    user = User(
        username=username,
        password_hash=password_hash,
        role=Role.ADMIN,
        client_id=None,
        created_at=now,
        updated_at=now,
    )
    if not await MongoUserStore(database).add(user, action=user_created(user, by=COMMAND_LINE)):
        raise CommandRejected(f"there is a user {username}: take another name, or --reset its password")


async def reset_admin(database: Database, username: str, password_hash: str) -> None:
    """Give an admin another password, enable it and revoke its tokens.

    Raises:
        CommandRejected: there is no such admin, or it is a development user.
        StoreUnavailable: MongoDB did not respond, or the user was changed concurrently.
    """
    users = MongoUserStore(database)
    old = await users.find(username)
    if old is None or old.role is not Role.ADMIN:
        raise CommandRejected(f"there is no admin {username}")
    if old.seeded:
        raise CommandRejected(
            f"{username} is a user of development, and is let in nowhere else: take another name"
        )
    now = max(SystemClock().now(), old.updated_at + timedelta(milliseconds=1))
    new = replace(old, password_hash=password_hash, disabled=False, updated_at=now)
    revocation = Revocation(
        name=user_name(username), issued_until=now, recorded_at=now, expires_at=now + _TOKENS_LAST_AT_MOST
    )
    action = user_changed(old, new, by=COMMAND_LINE)
    if not await users.replace(old, new, revocations=[revocation], action=action):
        raise StoreUnavailable("somebody changed this user at the same time: try again")


if __name__ == "__main__":
    sys.exit(main())
